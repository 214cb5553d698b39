import type { Result } from '#runtime';
import type { Certificate } from '../certificate.ts';
import { DerReader } from '../der/reader.ts';
import { contextConstructed, TAG } from '../der/tag.ts';
import { readOctets } from '../der/values.ts';
import { encode, encodeOidValue, encodeSequence } from '../der/writer.ts';
import { eachExtension } from '../extensions/each-extension.ts';
import { readGeneralName } from '../general-name.ts';
import { LIMITS } from '../limits.ts';
import { OID } from '../oids.ts';
import { reading, X509Error, type X509Problem } from '../problem.ts';
import { type CertificateId, encodeCertificateId, readCertificateId } from './certificate-id.ts';

/** OCSPRequest (RFC 6960 4.1.1), without the requestor's name and signature, which answer nothing here. */
export interface OcspRequest {
  readonly certificates: readonly CertificateId[];
  readonly nonce: Uint8Array | undefined;
}

/** A question about one certificate, with or without a nonce. */
export function encodeOcspRequest(
  serial: string,
  issuer: Certificate,
  nonce: Uint8Array | undefined,
): Uint8Array {
  const list = encodeSequence(encodeSequence(encodeCertificateId(serial, issuer)));
  if (nonce === undefined) return encodeSequence(encodeSequence(list));
  const value = encode(TAG.octetString, encode(TAG.octetString, nonce));
  const extension = encodeSequence(encodeOidValue(OID.ocspNonce), value);
  return encodeSequence(encodeSequence(list, encode(contextConstructed(2), encodeSequence(extension))));
}

/** OCSPRequest, strictly: DER only, nothing after it. Never throws on input. */
export function parseOcspRequest(bytes: Uint8Array): Result<OcspRequest, X509Problem> {
  return reading(() => {
    if (bytes.length > LIMITS.ocspBytes) {
      throw new X509Error(0, `the request has ${bytes.length} bytes; at most ${LIMITS.ocspBytes} are read`);
    }
    const reader = new DerReader(bytes.slice());
    const request = reader.sequence('OCSPRequest');
    reader.finish('OCSPRequest');
    const result = readTbs(request.sequence('tbsRequest'));
    const signature = request.optional(contextConstructed(0), 'optionalSignature');
    if (signature !== undefined) request.inside(signature).sequence('optionalSignature');
    request.finish('OCSPRequest');
    return result;
  });
}

function readTbs(tbs: DerReader): OcspRequest {
  const version = tbs.optional(contextConstructed(0), 'version');
  if (version !== undefined) throw new X509Error(version.start, 'the request is not of version 1');
  const requestor = tbs.optional(contextConstructed(1), 'requestorName');
  if (requestor !== undefined) readGeneralName(tbs.inside(requestor), 'requestorName');
  const list = tbs.sequence('requestList');
  const certificates: CertificateId[] = [];
  do {
    if (certificates.length === LIMITS.ocspResponses) {
      throw new X509Error(list.offset, `more than ${LIMITS.ocspResponses} certificates are asked for`);
    }
    const request = list.sequence('request');
    certificates.push(readCertificateId(request));
    const own = request.optional(contextConstructed(0), 'singleRequestExtensions');
    if (own !== undefined) eachExtension(request.inside(own), refuseCritical);
    request.finish('request');
  } while (!list.atEnd);
  const field = tbs.optional(contextConstructed(2), 'requestExtensions');
  const nonce = field === undefined ? undefined : readRequestNonce(tbs.inside(field));
  tbs.finish('tbsRequest');
  return { certificates, nonce };
}

function readRequestNonce(field: DerReader): Uint8Array | undefined {
  let nonce: Uint8Array | undefined;
  eachExtension(field, (oid, critical, value) => {
    if (oid !== OID.ocspNonce) return refuseCritical(oid, critical, value);
    nonce = readOctets(value, 'nonce').slice();
    value.finish('nonce');
    // RFC 9654 2.1: "A server MUST reject any OCSP request that has a nonce ... with a length of either 0 octets or more
    // than 128 octets".
    if (nonce.length === 0 || nonce.length > MOST_NONCE)
      throw new X509Error(value.offset, 'nonce has another length than 1 to 128');
  });
  return nonce;
}

const MOST_NONCE = 128;

function refuseCritical(oid: string, critical: boolean, value: DerReader): void {
  if (critical) throw new X509Error(value.offset, `critical extension ${oid} is not understood`);
}
