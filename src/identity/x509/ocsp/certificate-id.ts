import { createHash } from 'node:crypto';
import { equal } from '#runtime';
import type { Certificate } from '../certificate.ts';
import { readOid } from '../der/oid.ts';
import type { DerReader } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { readOctets } from '../der/values.ts';
import { encode, encodeOidValue, encodeSequence, encodeUnsigned } from '../der/writer.ts';
import { OID } from '../oids.ts';
import { readSerialNumber } from '../serial-number.ts';
import { EMPTY, fromHex } from '#runtime';

/** CertID (RFC 6960 4.1.1): a certificate by its issuer's name and key, hashed, and its serial number. */
export interface CertificateId {
  readonly hashAlgorithm: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** Lower-case hexadecimal, as in `Certificate.serial`. */
  readonly serial: string;
}

export function readCertificateId(reader: DerReader): CertificateId {
  const id = reader.sequence('certID');
  const algorithm = id.sequence('hashAlgorithm');
  const hashAlgorithm = readOid(algorithm, 'hashAlgorithm');
  if (!algorithm.atEnd) algorithm.expect(TAG.null, 'parameters of hashAlgorithm');
  algorithm.finish('hashAlgorithm');
  const issuerNameHash = readOctets(id, 'issuerNameHash').slice();
  const issuerKeyHash = readOctets(id, 'issuerKeyHash').slice();
  const serial = readSerialNumber(id);
  id.finish('certID');
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serial };
}

/** The hash is no protection here, only an abbreviation: SHA-1 is what every responder knows (RFC 9654 4.1, RFC 5019). */
export function encodeCertificateId(serial: string, issuer: Certificate): Uint8Array {
  const hash = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());
  return encodeSequence(
    encodeSequence(encodeOidValue(OID.sha1), encode(TAG.null, EMPTY)),
    encode(TAG.octetString, hash(issuer.subject.der)),
    encode(TAG.octetString, hash(issuer.publicKey.bits)),
    encodeUnsigned(fromHex(serial)),
  );
}

/** Whether the id means a certificate of `issuer` with this serial number. False for hashes that are not known here. */
export function identifies(id: CertificateId, serial: string, issuer: Certificate): boolean {
  const hash = HASHES[id.hashAlgorithm];
  if (hash === undefined || id.serial !== serial) return false;
  const digest = (bytes: Uint8Array): Uint8Array => createHash(hash).update(bytes).digest();
  return (
    equal(id.issuerNameHash, digest(issuer.subject.der)) &&
    equal(id.issuerKeyHash, digest(issuer.publicKey.bits))
  );
}

const HASHES: Readonly<Record<string, string>> = { [OID.sha1]: 'sha1', [OID.sha256]: 'sha256' };
