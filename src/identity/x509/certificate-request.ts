import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { EMPTY, fromHex, type Result } from '#runtime';
import { readOid } from './der/oid.ts';
import { DerReader } from './der/reader.ts';
import { contextConstructed, TAG } from './der/tag.ts';
import { readOctetBits, readSmallInteger } from './der/values.ts';
import { encode, encodeOctetBits, encodeSequence, encodeUnsigned } from './der/writer.ts';
import { eachExtension } from './extensions/each-extension.ts';
import { readSubjectAltName } from './extensions/subject-alt-name.ts';
import type { GeneralName } from './general-name.ts';
import { LIMITS } from './limits.ts';
import { readName } from './name.ts';
import { OID } from './oids.ts';
import { reading, X509Error, type X509Problem } from './problem.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import {
  readSignatureAlgorithm,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
} from './signature-algorithm.ts';

/**
 * What is kept of a PKCS #10 request (RFC 2986). The subject is checked for form and dropped, and so are attributes but
 * for the names that are asked for: whom a certificate names is never the requester's choice (CVE-2022-40716), but who
 * asks for somebody else is to be told so.
 */
export interface CertificateRequest {
  /** The part that is signed. */
  readonly info: Uint8Array;
  readonly publicKey: PublicKey;
  /** The subjectAltName that is asked for; undefined: none. */
  readonly names: readonly GeneralName[] | undefined;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** Reads a request, strictly. Does not verify its signature. Never throws on input. */
export function parseCertificateRequest(bytes: Uint8Array): Result<CertificateRequest, X509Problem> {
  return reading(() => {
    if (bytes.length > LIMITS.requestBytes) {
      throw new X509Error(
        0,
        `the request has ${bytes.length} bytes; at most ${LIMITS.requestBytes} are read`,
      );
    }
    const reader = new DerReader(bytes.slice());
    const request = reader.sequence('certificate request');
    reader.finish('certificate request');
    const infoElement = request.expect(TAG.sequence, 'certificationRequestInfo');
    const { publicKey, names } = readInfo(request.inside(infoElement));
    const { algorithm } = readSignatureAlgorithm(request, 'signatureAlgorithm');
    const signature = readOctetBits(request, 'signature');
    request.finish('certificate request');
    return Object.freeze({
      info: request.whole(infoElement),
      publicKey,
      names,
      signatureAlgorithm: algorithm,
      signature,
    });
  });
}

/** A request that proves possession of a P-256 key and asks for nothing: no subject, no attributes. */
export function createCertificateRequest(keys: { publicKey: KeyObject; privateKey: KeyObject }): Uint8Array {
  const info = encodeSequence(
    encodeUnsigned(Uint8Array.of(0)),
    encodeSequence(),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    encode(contextConstructed(0), EMPTY),
  );
  return encodeSequence(
    info,
    fromHex(SIGNATURE_ALGORITHMS['ecdsa-with-SHA256'].identifier),
    encodeOctetBits(sign('sha256', info, keys.privateKey)),
  );
}

/** CertificationRequestInfo (RFC 2986 4.1). */
function readInfo(info: DerReader): Pick<CertificateRequest, 'publicKey' | 'names'> {
  const start = info.offset;
  const version = readSmallInteger(info, 'version');
  if (version !== 0)
    throw new X509Error(start, `the request has version ${version + 1}; only version 1 is read`);
  readName(info, 'subject');
  const publicKey = readPublicKey(info);
  const attributes = info.inside(info.expect(contextConstructed(0), 'attributes'));
  const names = readRequestedNames(attributes);
  info.finish('certificationRequestInfo');
  return { publicKey, names };
}

/** Attributes (RFC 2986 4.1): of those that ask for extensions, once and with one value, the subjectAltName. */
function readRequestedNames(attributes: DerReader): CertificateRequest['names'] {
  let names: CertificateRequest['names'];
  let asked = false;
  while (!attributes.atEnd) {
    const start = attributes.offset;
    const attribute = attributes.sequence('attribute');
    const oid = readOid(attribute, 'attribute OID');
    const values = attribute.inside(attribute.expect(TAG.set, `values of attribute ${oid}`));
    attribute.finish(`attribute ${oid}`);
    if (oid !== OID.extensionRequest && oid !== OID.certExtensions) continue;
    if (asked) throw new X509Error(start, 'the request asks for extensions twice');
    asked = true;
    eachExtension(values, (extension, _critical, value) => {
      if (extension !== OID.subjectAltName) return;
      names = readSubjectAltName(value);
      value.finish('subjectAltName');
    });
    values.finish(`values of attribute ${oid}`);
  }
  return names;
}
