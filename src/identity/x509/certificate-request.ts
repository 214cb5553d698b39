import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { EMPTY, fromHex, type Result } from '#runtime';
import { DerReader } from './der/reader.ts';
import { contextConstructed, TAG } from './der/tag.ts';
import { readOctetBits, readSmallInteger } from './der/values.ts';
import { encode, encodeOctetBits, encodeSequence, encodeUnsigned } from './der/writer.ts';
import { LIMITS } from './limits.ts';
import { readName } from './name.ts';
import { reading, X509Error, type X509Problem } from './problem.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import {
  readSignatureAlgorithm,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
} from './signature-algorithm.ts';

/**
 * What is kept of a PKCS #10 request (RFC 2986). Subject and attributes are checked for form and dropped: whom a
 * certificate names is never the requester's choice (CVE-2022-40716).
 */
export interface CertificateRequest {
  /** The part that is signed. */
  readonly info: Uint8Array;
  readonly publicKey: PublicKey;
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
    const publicKey = readInfo(request.inside(infoElement));
    const { algorithm } = readSignatureAlgorithm(request, 'signatureAlgorithm');
    const signature = readOctetBits(request, 'signature');
    request.finish('certificate request');
    return Object.freeze({
      info: request.whole(infoElement),
      publicKey,
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
function readInfo(info: DerReader): PublicKey {
  const start = info.offset;
  const version = readSmallInteger(info, 'version');
  if (version !== 0)
    throw new X509Error(start, `the request has version ${version + 1}; only version 1 is read`);
  readName(info, 'subject');
  const publicKey = readPublicKey(info);
  const attributes = info.inside(info.expect(contextConstructed(0), 'attributes'));
  while (!attributes.atEnd) attributes.expect(TAG.sequence, 'attribute');
  info.finish('certificationRequestInfo');
  return publicKey;
}
