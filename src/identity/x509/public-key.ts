import { createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyType } from '#handshake';
import { readOid } from './der/oid.ts';
import { DerReader } from './der/reader.ts';
import { TAG } from './der/tag.ts';
import { readInteger, readOctetBits } from './der/values.ts';
import { LIMITS } from './limits.ts';
import { OID } from './oids.ts';
import { isPssParameters } from './signature-algorithm.ts';
import { X509Error } from './problem.ts';

export interface PublicKey {
  readonly type: KeyType;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** The contents of subjectPublicKey's BIT STRING: what key identifiers are made of (RFC 5280 4.2.1.2). */
  readonly bits: Uint8Array;
  readonly key: KeyObject;
  /** Of an RSA key: its modulus, big-endian without leading zeros, and how many bits that has. */
  readonly rsaModulus: Uint8Array | undefined;
  readonly rsaBits: number | undefined;
}

/** SubjectPublicKeyInfo (RFC 5280 4.1) of a P-256, P-384, Ed25519, RSA or RSA-PSS key; any other is refused by name. */
export function readPublicKey(reader: DerReader): PublicKey {
  const element = reader.expect(TAG.sequence, 'subjectPublicKeyInfo');
  const info = reader.inside(element);
  const type = readKeyType(info.sequence('public key algorithm'));
  const bits = readOctetBits(info, 'subjectPublicKey');
  info.finish('subjectPublicKeyInfo');
  const rsa = checkBits(type, bits, element.start);
  const spki = reader.whole(element).slice();
  return Object.freeze({
    type,
    spki,
    bits: bits.slice(),
    key: importKey(spki, element.start),
    rsaModulus: rsa?.modulus,
    rsaBits: rsa?.bits,
  });
}

function readKeyType(algorithm: DerReader): KeyType {
  const start = algorithm.offset;
  const oid = readOid(algorithm, 'public key algorithm OID');
  const type = readParameters(algorithm, oid, start);
  algorithm.finish('public key algorithm');
  return type;
}

function readParameters(algorithm: DerReader, oid: string, start: number): KeyType {
  switch (oid) {
    case OID.ecPublicKey: {
      // Explicit curve parameters (RFC 3279) let a peer choose the curve: CVE-2020-0601, CVE-2022-0778.
      if (algorithm.next !== TAG.objectIdentifier) {
        throw new X509Error(
          algorithm.offset,
          'an elliptic curve key without a named curve',
          'unsupported-key',
        );
      }
      const curve = readOid(algorithm, 'named curve');
      if (curve === OID.p256) return 'ec-p256';
      if (curve === OID.p384) return 'ec-p384';
      throw new X509Error(start, `a key on curve ${curve}; P-256 and P-384 are supported`, 'unsupported-key');
    }
    case OID.ed25519:
      // RFC 8410 3: "the parameters MUST be absent".
      return 'ed25519';
    case OID.rsaEncryption: {
      // RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL for this algorithm identifier."
      const none = algorithm.expect(TAG.null, 'RSA parameters');
      if (none.contents !== none.end)
        throw new X509Error(none.start, 'RSA parameters are a NULL with contents');
      return 'rsa';
    }
    case OID.rsassaPss:
      if (algorithm.atEnd) return 'rsa-pss';
      return readPssParameters(algorithm, start);
    default:
      throw new X509Error(start, `a key of algorithm ${oid}`, 'unsupported-key');
  }
}

/** RFC 4055 3.1: parameters in a key bind it to one hash. Those are taken that a signature may have too. */
function readPssParameters(algorithm: DerReader, start: number): KeyType {
  const parameters = algorithm.any('RSA-PSS parameters');
  if (!isPssParameters(algorithm.whole(parameters))) {
    throw new X509Error(
      start,
      'an RSA-PSS key for other parameters than SHA-256, -384, -512',
      'unsupported-key',
    );
  }
  return 'rsa-pss';
}

/** Lengths of subjectPublicKey: an uncompressed point (RFC 5480 2.2), 32 octets (RFC 8410 4). */
const KEY_OCTETS = { 'ec-p256': 65, 'ec-p384': 97, ed25519: 32 } as const;

function checkBits(type: KeyType, bits: Uint8Array, offset: number): RsaSize | undefined {
  if (type === 'rsa' || type === 'rsa-pss') return checkRsa(bits, offset);
  if (bits.length !== KEY_OCTETS[type] || (type !== 'ed25519' && bits[0] !== 0x04)) {
    throw new X509Error(
      offset,
      `the ${type} public key is not in its uncompressed form of ${KEY_OCTETS[type]} octets`,
    );
  }
  return undefined;
}

interface RsaSize {
  readonly modulus: Uint8Array;
  readonly bits: number;
}

/** RFC 8017 A.1.1: RSAPublicKey. */
function checkRsa(bits: Uint8Array, offset: number): RsaSize {
  const whole = new DerReader(bits);
  const key = reanchor(offset, () => {
    const sequence = whole.sequence('RSA public key');
    whole.finish('RSA public key');
    const modulus = readInteger(sequence, 'RSA modulus');
    const exponent = readInteger(sequence, 'RSA exponent');
    sequence.finish('RSA public key');
    return { modulus, exponent };
  });
  const size = bitLength(key.modulus);
  if (size < LIMITS.rsaBitsLeast) {
    throw new X509Error(
      offset,
      `an RSA key of ${size} bits; at least ${LIMITS.rsaBitsLeast} are needed`,
      'weak-key',
    );
  }
  if (size > LIMITS.rsaBitsMost) {
    throw new X509Error(
      offset,
      `an RSA key of ${size} bits; at most ${LIMITS.rsaBitsMost} are read`,
      'unsupported-key',
    );
  }
  const exponentBits = bitLength(key.exponent);
  const odd = ((key.exponent.at(-1) ?? 0) & 1) === 1;
  if (!odd || exponentBits < 2 || exponentBits > 32) {
    throw new X509Error(
      offset,
      'an RSA key whose public exponent is not an odd number from 3 to 2^32',
      'weak-key',
    );
  }
  const modulus = key.modulus[0] === 0 ? key.modulus.slice(1) : key.modulus.slice();
  return { modulus, bits: size };
}

/** Offsets within the key's own bit string say little: report where the key stands in the certificate. */
function reanchor<T>(offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof X509Error) throw new X509Error(offset, error.what, error.kind);
    throw error;
  }
}

/** Significant bits of a canonical non-negative INTEGER; 0 for a negative one. */
function bitLength(contents: Uint8Array): number {
  const digits = contents[0] === 0 ? contents.subarray(1) : contents;
  if (digits === contents && (contents[0] ?? 0) >= 0x80) return 0;
  return digits.length === 0 ? 0 : digits.length * 8 - Math.clz32(digits[0] ?? 0) + 24;
}

function importKey(spki: Uint8Array, offset: number): KeyObject {
  try {
    // OpenSSL checks here that a point is on its curve.
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    throw new X509Error(offset, 'the public key is no valid point or number');
  }
}
