import { createHash } from 'node:crypto';
import { equal, err, ok, type Result } from '#runtime';
import type { Refusal } from '#handshake';
import { IDENTITY_REASONS } from '../reasons.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { identifies } from '../x509/ocsp/certificate-id.ts';
import { type BasicOcspResponse, parseOcspResponse, type SingleOcspResponse } from '../x509/ocsp/response.ts';
import { OID } from '../x509/oids.ts';
import { problemText } from '../x509/problem.ts';
import { signatureHolds } from '../x509/verify-signature.ts';
import { namesIssuer } from './issuer.ts';
import { refuse } from './refuse.ts';
import { checkSignature } from './signature.ts';
import { checkValidity } from './validity.ts';

/** What a responder said about a certificate, once it is believed. */
export interface OcspStatus {
  readonly status: SingleOcspResponse['status'];
  /** Milliseconds since the Unix epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/**
 * RFC 6960 3.2 for one response, stapled or fetched: that it is about this certificate, is signed by the issuer or by
 * whom the issuer delegated to, and is of this time. `nonce` is what was asked with, for responses that were.
 */
export function checkOcspResponse(
  bytes: Uint8Array,
  certificate: Certificate,
  issuer: Certificate,
  time: number,
  nonce?: Uint8Array,
): Result<OcspStatus, Refusal> {
  const wrong = (what: string): { ok: false; error: Refusal } =>
    err(refuse(IDENTITY_REASONS['ocsp-response-unusable'], certificate, `its OCSP response ${what}`));
  const response = parseOcspResponse(bytes);
  if (!response.ok) return wrong(`cannot be read ${problemText(response.error)}`);
  const { basic } = response.value;
  if (basic === undefined) return wrong(`is no answer but "${response.value.status}"`);
  // 1. "The certificate identified in a received response corresponds to the certificate that was identified".
  const single = basic.responses.find(({ id }) => identifies(id, certificate.serial, issuer));
  if (single === undefined) return wrong('is about other certificates');
  // 2. to 4. The signature, the signer, and its right to sign.
  const signer = signerOf(basic, issuer, time);
  if (typeof signer === 'string') return wrong(signer);
  if (!basic.signatureAlgorithm.usable) return wrong(`is signed with ${basic.signatureAlgorithm.text}`);
  if (!signatureHolds(basic.signatureAlgorithm.name, signer.publicKey, basic.tbs, basic.signature)) {
    return wrong('has a signature that does not hold');
  }
  if (nonce !== undefined && (basic.nonce === undefined || !equal(nonce, basic.nonce))) {
    return wrong('does not repeat the nonce of the request');
  }
  // 5. and 6. Its time. RFC 6960 4.2.2.1 lets nextUpdate be absent: newer information is always there, so it is stale.
  const { nextUpdate } = single;
  if (single.thisUpdate > time)
    return wrong(`is of the future (${new Date(single.thisUpdate).toISOString()})`);
  if (nextUpdate === undefined) return wrong('has no nextUpdate, so nobody knows how long it holds');
  if (Math.floor(time / 1000) * 1000 > nextUpdate)
    return wrong(`has ended (${new Date(nextUpdate).toISOString()})`);
  return ok({ status: single.status, thisUpdate: single.thisUpdate, nextUpdate });
}

/**
 * RFC 6960 4.2.2.2: the issuer itself, or one that it certified for id-kp-OCSPSigning "directly". A delegate lives
 * without being asked about (id-pkix-ocsp-nocheck, 4.2.2.2.1) or not at all. Answers text if it is neither.
 */
function signerOf(basic: BasicOcspResponse, issuer: Certificate, time: number): Certificate | string {
  if (isResponder(basic, issuer)) return issuer;
  for (const der of basic.certificates) {
    const parsed = parseCertificate(der);
    if (!parsed.ok || !isResponder(basic, parsed.value)) continue;
    const delegate = parsed.value;
    const { extendedKeyUsage, ocspNoCheck, keyUsage } = delegate.extensions;
    if (!namesIssuer(delegate, issuer) || checkSignature(delegate, issuer) !== undefined) {
      return 'is signed by a responder that the issuer did not certify (RFC 6960 4.2.2.2)';
    }
    if (!extendedKeyUsage?.has(OID.ocspSigning))
      return 'is signed by a certificate without OCSPSigning (RFC 6960 4.2.2.2)';
    if (keyUsage !== undefined && !keyUsage.has('digitalSignature'))
      return 'is signed by a key without digitalSignature';
    if (ocspNoCheck === undefined)
      return 'is signed by a responder that could be revoked itself (RFC 6960 4.2.2.2.1)';
    if (delegate.extensions.unknownCritical.length > 0)
      return 'is signed by a responder with unknown critical extensions';
    return checkValidity(delegate, time)?.detail ?? delegate;
  }
  return 'names a responder that is neither the issuer nor sent along (RFC 6960 4.2.2.2)';
}

/** ResponderID (RFC 6960 4.2.1): by name, or by the SHA-1 of the key's bits. */
function isResponder({ responder }: BasicOcspResponse, certificate: Certificate): boolean {
  if ('name' in responder) return equal(responder.name, certificate.subject.der);
  return equal(responder.keyHash, createHash('sha1').update(certificate.publicKey.bits).digest());
}
