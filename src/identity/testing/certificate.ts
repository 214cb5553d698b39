import { constants, createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { concat, EMPTY, fromHex } from '#runtime';
import { contextConstructed, TAG } from '../x509/der/tag.ts';
import {
  encode,
  encodeOctetBits,
  encodeOidValue,
  encodeSequence,
  encodeSetOf,
  encodeTime,
  encodeUnsigned,
} from '../x509/der/writer.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithmName } from '../x509/signature-algorithm.ts';

/** Also algorithms that must be refused. */
export type TestSignatureAlgorithm = SignatureAlgorithmName | 'RSA-SHA1' | 'RSA-MD5' | 'ecdsa-with-SHA1';

/** Everything of a certificate, valid or not: nothing is checked or filled in but what is left out. */
export interface TestCertificate {
  /** Default 2, which is version 3; undefined leaves the field out (version 1). */
  readonly version?: number | undefined;
  /** Contents of the INTEGER. Default: 16 random octets, positive. */
  readonly serial?: Uint8Array;
  /** DER of names; `encodeName` makes simple ones. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER. */
  readonly spki: Uint8Array;
  /** Encoded Extension values; none leaves the field out. */
  readonly extensions: readonly Uint8Array[];
  readonly signingKey: KeyObject;
  readonly algorithm?: TestSignatureAlgorithm;
  /** AlgorithmIdentifiers, DER, that replace those of `algorithm`. */
  readonly innerAlgorithm?: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  /** Bytes after the last field of tbsCertificate. */
  readonly tbsTail?: Uint8Array;
}

export function encodeCertificate(options: TestCertificate): Uint8Array {
  const algorithm = options.algorithm ?? algorithmFor(options.signingKey);
  const identifier = fromHex(IDENTIFIERS[algorithm]);
  const version = 'version' in options ? options.version : 2;
  const tbs = encodeSequence(
    version === undefined ? EMPTY : encode(contextConstructed(0), encodeUnsigned(Uint8Array.of(version))),
    encode(TAG.integer, options.serial ?? randomSerial()),
    options.innerAlgorithm ?? identifier,
    options.issuer,
    encodeSequence(encodeTime(options.notBefore), encodeTime(options.notAfter)),
    options.subject,
    options.spki,
    options.extensions.length === 0
      ? EMPTY
      : encode(contextConstructed(3), encodeSequence(...options.extensions)),
    options.tbsTail ?? EMPTY,
  );
  const signature = signWith(algorithm, options.signingKey, tbs);
  return encodeSequence(tbs, options.outerAlgorithm ?? identifier, encodeOctetBits(signature));
}

/** Name with one commonName; without text the empty name. */
export function encodeName(commonName?: string): Uint8Array {
  if (commonName === undefined) return encodeSequence();
  const attribute = encodeSequence(
    encodeOidValue('2.5.4.3'),
    encode(TAG.utf8String, Buffer.from(commonName)),
  );
  return encodeSequence(encodeSetOf(attribute));
}

export function spkiOf(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
}

/** RFC 5280 4.2.1.2 leaves the method open: here SHA-256 of the SubjectPublicKeyInfo, cut to 20 octets. */
export function keyIdentifierOf(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(createHash('sha256').update(spkiOf(publicKey)).digest().subarray(0, 20));
}

const IDENTIFIERS: Readonly<Record<TestSignatureAlgorithm, string>> = {
  'ecdsa-with-SHA256': SIGNATURE_ALGORITHMS['ecdsa-with-SHA256'].identifier,
  'ecdsa-with-SHA384': SIGNATURE_ALGORITHMS['ecdsa-with-SHA384'].identifier,
  'ecdsa-with-SHA512': SIGNATURE_ALGORITHMS['ecdsa-with-SHA512'].identifier,
  Ed25519: SIGNATURE_ALGORITHMS.Ed25519.identifier,
  'RSA-SHA256': SIGNATURE_ALGORITHMS['RSA-SHA256'].identifier,
  'RSA-SHA384': SIGNATURE_ALGORITHMS['RSA-SHA384'].identifier,
  'RSA-SHA512': SIGNATURE_ALGORITHMS['RSA-SHA512'].identifier,
  'RSA-PSS-SHA256': SIGNATURE_ALGORITHMS['RSA-PSS-SHA256'].identifier,
  'RSA-PSS-SHA384': SIGNATURE_ALGORITHMS['RSA-PSS-SHA384'].identifier,
  'RSA-PSS-SHA512': SIGNATURE_ALGORITHMS['RSA-PSS-SHA512'].identifier,
  'RSA-SHA1': '300d06092a864886f70d0101050500',
  'RSA-MD5': '300d06092a864886f70d0101040500',
  'ecdsa-with-SHA1': '300906072a8648ce3d0401',
};

function algorithmFor(key: KeyObject): TestSignatureAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  if (key.asymmetricKeyType === 'rsa-pss') return 'RSA-PSS-SHA256';
  return key.asymmetricKeyType === 'rsa' ? 'RSA-SHA256' : 'ecdsa-with-SHA256';
}

function signWith(algorithm: TestSignatureAlgorithm, key: KeyObject, message: Uint8Array): Uint8Array {
  const hash = algorithm === 'Ed25519' ? null : (/(SHA\d+|MD5)$/.exec(algorithm)?.[0].toLowerCase() ?? null);
  const padding = algorithm.startsWith('RSA-PSS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return sign(hash, message, { key, ...padding });
}

function randomSerial(): Uint8Array {
  return concat(Uint8Array.of(0x40), new Uint8Array(randomBytes(15)));
}
