import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import { parseCertificateRequest } from '../x509/certificate-request.ts';
import { problemText } from '../x509/problem.ts';
import type { PublicKey } from '../x509/public-key.ts';
import { signatureHolds } from '../x509/verify-signature.ts';

/**
 * A request that may be answered: a key of a kind we issue for, and proof that the requester holds it. Nothing else
 * of the request is kept, so nothing else of it can reach a certificate.
 */
export interface IssuableRequest {
  readonly publicKey: PublicKey;
}

export function parseIssuableRequest(bytes: Uint8Array): Result<IssuableRequest, Refusal> {
  const request = parseCertificateRequest(bytes);
  if (!request.ok) return refuse('malformed-request', problemText(request.error));
  const { publicKey, signatureAlgorithm, info, signature } = request.value;
  if (publicKey.type !== 'ec-p256' && publicKey.type !== 'ec-p384') {
    return refuse(
      'malformed-request',
      `a key of type ${publicKey.type}; certificates are issued for P-256 and P-384`,
    );
  }
  if (!signatureAlgorithm.usable) {
    return refuse('malformed-request', `it is signed with ${signatureAlgorithm.text}`);
  }
  if (!signatureHolds(signatureAlgorithm.name, publicKey, info, signature)) {
    return refuse('request-not-proven', `its ${signatureAlgorithm.name} signature does not hold`);
  }
  return ok(Object.freeze({ publicKey }));
}

function refuse(code: 'malformed-request' | 'request-not-proven', detail: string): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS[code], detail });
}
