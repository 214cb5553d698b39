import type { Result } from '#runtime';
import { readOid } from '../der/oid.ts';
import { DerReader } from '../der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tag.ts';
import { readGeneralizedTime } from '../der/time.ts';
import { readOctetBits, readOctets } from '../der/values.ts';
import { REVOCATION_REASONS, type Revocation } from '../crl.ts';
import { eachExtension } from '../extensions/each-extension.ts';
import { LIMITS } from '../limits.ts';
import { readName } from '../name.ts';
import { OID } from '../oids.ts';
import { reading, X509Error, type X509Problem } from '../problem.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from '../signature-algorithm.ts';
import { type CertificateId, readCertificateId } from './certificate-id.ts';

/** OCSPResponseStatus (RFC 6960 4.2.1): the responder did not answer, and says why. */
const STATUSES = new Map([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
]);

export type OcspResponse =
  | { readonly status: 'successful'; readonly basic: BasicOcspResponse }
  | { readonly status: string; readonly basic: undefined };

/** BasicOCSPResponse (RFC 6960 4.2.1), read; nothing in it is believed yet. */
export interface BasicOcspResponse {
  /** The part that is signed. */
  readonly tbs: Uint8Array;
  readonly responder: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array };
  /** Milliseconds since the Unix epoch. */
  readonly producedAt: number;
  readonly responses: readonly SingleOcspResponse[];
  readonly nonce: Uint8Array | undefined;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** DER of the certificates sent along. */
  readonly certificates: readonly Uint8Array[];
}

export interface SingleOcspResponse {
  readonly id: CertificateId;
  readonly status: 'good' | 'unknown' | Revocation;
  /** Milliseconds since the Unix epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}

/** OCSPResponse, strictly: DER only, nothing after it. Never throws on input. */
export function parseOcspResponse(bytes: Uint8Array): Result<OcspResponse, X509Problem> {
  return reading(() => {
    if (bytes.length > LIMITS.ocspBytes) {
      throw new X509Error(0, `the response has ${bytes.length} bytes; at most ${LIMITS.ocspBytes} are read`);
    }
    const reader = new DerReader(bytes.slice());
    const response = reader.sequence('OCSPResponse');
    reader.finish('OCSPResponse');
    const start = response.offset;
    const code = response.contents(response.expect(TAG.enumerated, 'responseStatus'));
    if (code.length !== 1) throw new X509Error(start, 'responseStatus is no number of one octet');
    if (code[0] !== 0) {
      response.finish('OCSPResponse without an answer');
      return { status: STATUSES.get(code[0] ?? 0) ?? `status ${code[0]}`, basic: undefined };
    }
    const field = response.inside(response.expect(contextConstructed(0), 'responseBytes'));
    response.finish('OCSPResponse');
    const content = field.sequence('responseBytes');
    field.finish('responseBytes');
    const type = readOid(content, 'responseType');
    if (type !== OID.ocspBasic)
      throw new X509Error(start, `the response is of type ${type}, which is not read`);
    const inner = content.inside(content.expect(TAG.octetString, 'response'));
    content.finish('responseBytes');
    const basic = readBasic(inner);
    inner.finish('response');
    return { status: 'successful', basic };
  });
}

function readBasic(reader: DerReader): BasicOcspResponse {
  const basic = reader.sequence('BasicOCSPResponse');
  const tbsElement = basic.expect(TAG.sequence, 'tbsResponseData');
  const data = readData(basic.inside(tbsElement));
  const { algorithm } = readSignatureAlgorithm(basic, 'signatureAlgorithm');
  const signature = readOctetBits(basic, 'signature').slice();
  const field = basic.optional(contextConstructed(0), 'certs');
  const certificates = field === undefined ? [] : readCertificates(basic.inside(field));
  basic.finish('BasicOCSPResponse');
  const tbs = basic.whole(tbsElement).slice();
  return Object.freeze({ tbs, signatureAlgorithm: algorithm, signature, certificates, ...data });
}

function readData(
  data: DerReader,
): Pick<BasicOcspResponse, 'responder' | 'producedAt' | 'responses' | 'nonce'> {
  const version = data.optional(contextConstructed(0), 'version');
  // Version 1 is the default, which DER leaves out, and there is no other.
  if (version !== undefined) throw new X509Error(version.start, 'the response is not of version 1');
  const responder = readResponder(data);
  const producedAt = readGeneralizedTime(data, 'producedAt');
  const list = data.sequence('responses');
  const responses: SingleOcspResponse[] = [];
  do {
    if (responses.length === LIMITS.ocspResponses) {
      throw new X509Error(list.offset, `more than ${LIMITS.ocspResponses} responses`);
    }
    responses.push(readSingle(list));
  } while (!list.atEnd);
  const field = data.optional(contextConstructed(1), 'responseExtensions');
  const nonce = field === undefined ? undefined : readNonce(data.inside(field));
  data.finish('tbsResponseData');
  return { responder, producedAt, responses, nonce };
}

function readResponder(data: DerReader): BasicOcspResponse['responder'] {
  const byName = data.optional(contextConstructed(1), 'responderID by name');
  if (byName !== undefined) {
    const name = readName(data.inside(byName), 'responderID');
    return { name: name.der };
  }
  const byKey = data.inside(data.expect(contextConstructed(2), 'responderID by key'));
  const keyHash = readOctets(byKey, 'responderID').slice();
  byKey.finish('responderID');
  return { keyHash };
}

function readSingle(list: DerReader): SingleOcspResponse {
  const single = list.sequence('singleResponse');
  const id = readCertificateId(single);
  const status = readStatus(single);
  const thisUpdate = readGeneralizedTime(single, 'thisUpdate');
  const next = single.optional(contextConstructed(0), 'nextUpdate');
  const nextUpdate = next === undefined ? undefined : readGeneralizedTime(single.inside(next), 'nextUpdate');
  const extensions = single.optional(contextConstructed(1), 'singleExtensions');
  if (extensions !== undefined) eachExtension(single.inside(extensions), refuseCritical);
  single.finish('singleResponse');
  return { id, status, thisUpdate, nextUpdate };
}

function readStatus(single: DerReader): SingleOcspResponse['status'] {
  const start = single.offset;
  const element = single.any('certStatus');
  switch (element.tag) {
    case contextPrimitive(0):
    case contextPrimitive(2):
      if (element.contents !== element.end) throw new X509Error(start, 'certStatus is a NULL with contents');
      return element.tag === contextPrimitive(0) ? 'good' : 'unknown';
    case contextConstructed(1): {
      const revoked = single.inside(element);
      const time = readGeneralizedTime(revoked, 'revocationTime');
      const field = revoked.optional(contextConstructed(0), 'revocationReason');
      const reason = field === undefined ? 0 : readReason(revoked.inside(field));
      revoked.finish('revokedInfo');
      const text =
        reason in REVOCATION_REASONS
          ? REVOCATION_REASONS[reason as keyof typeof REVOCATION_REASONS]
          : undefined;
      // Whatever the reason is, the certificate is revoked.
      return { time, reason: text ?? 'unspecified' };
    }
    default:
      throw new X509Error(start, 'certStatus is none of good, revoked and unknown');
  }
}

function readReason(field: DerReader): number {
  const contents = field.contents(field.expect(TAG.enumerated, 'revocationReason'));
  field.finish('revocationReason');
  return contents.length === 1 ? (contents[0] ?? 0) : 0;
}

/** RFC 9654 2.1: 1 to 128 octets, in an OCTET STRING of its own. */
function readNonce(field: DerReader): Uint8Array | undefined {
  let nonce: Uint8Array | undefined;
  eachExtension(field, (oid, critical, value) => {
    if (oid !== OID.ocspNonce) return refuseCritical(oid, critical, value);
    nonce = readOctets(value, 'nonce').slice();
    value.finish('nonce');
  });
  return nonce;
}

function refuseCritical(oid: string, critical: boolean, value: DerReader): void {
  if (critical) throw new X509Error(value.offset, `critical extension ${oid} is not understood`);
}

function readCertificates(field: DerReader): readonly Uint8Array[] {
  const sequence = field.sequence('certs');
  const certificates: Uint8Array[] = [];
  while (!sequence.atEnd) {
    if (certificates.length === MOST_CERTIFICATES) {
      throw new X509Error(sequence.offset, `more than ${MOST_CERTIFICATES} certificates are sent along`);
    }
    certificates.push(sequence.whole(sequence.expect(TAG.sequence, 'certificate')).slice());
  }
  field.finish('certs');
  return certificates;
}

/** The responder's own, and what leads from it to its issuer: RFC 6960 4.2.2.2 makes that none. */
const MOST_CERTIFICATES = 4;
