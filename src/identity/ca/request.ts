import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { parseCertificateRequest } from '../x509/certificate-request.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { problemText } from '../x509/problem.ts';
import type { PublicKey } from '../x509/public-key.ts';
import { signatureHolds } from '../x509/verify-signature.ts';

/**
 * A request that may be answered: a key of a kind we issue for, and proof that the requester holds it. Of the rest only
 * the name that it asks for is kept, to be compared: nothing of it can reach a certificate.
 */
export interface IssuableRequest {
  readonly publicKey: PublicKey;
  readonly names: readonly GeneralName[] | undefined;
}

export function parseIssuableRequest(bytes: Uint8Array): Result<IssuableRequest, Refusal> {
  const request = parseCertificateRequest(bytes);
  if (!request.ok) {
    const { kind } = request.error;
    return refuse(
      kind === 'malformed' ? 'malformed-request' : 'request-unsupported-key',
      problemText(request.error),
    );
  }
  const { publicKey, names, signatureAlgorithm, info, signature } = request.value;
  if (publicKey.type !== 'ec-p256' && publicKey.type !== 'ec-p384') {
    return refuse(
      'request-unsupported-key',
      `a key of type ${publicKey.type}; certificates are issued for P-256 and P-384`,
    );
  }
  if (!signatureAlgorithm.usable) {
    return refuse('malformed-request', `it is signed with ${signatureAlgorithm.text}`);
  }
  if (!signatureHolds(signatureAlgorithm.name, publicKey, info, signature)) {
    return refuse('request-not-proven', `its ${signatureAlgorithm.name} signature does not hold`);
  }
  // X509-SVID 2: "An X.509 SVID MUST contain exactly one URI SAN."
  const uris = (names ?? []).filter(({ type }) => type === 'uri').length;
  if (uris > 1) return refuse('request-several-uris', `${uris}: ${(names ?? []).map(nameText).join(', ')}`);
  return ok(Object.freeze({ publicKey, names }));
}

/** Why the request may not be answered with a certificate for `identity`: it asks for another name. undefined: it may. */
export function namesAnother({ names }: IssuableRequest, identity: SpiffeId): Refusal | undefined {
  const other = names?.find((name) => name.type !== 'uri' || name.text !== identity.toString());
  if (other === undefined) return undefined;
  const detail = `${nameText(other)}, and the workload is ${identity.toString()}`;
  return { reason: IDENTITY_REASONS['request-names-another'], detail };
}

function nameText(name: GeneralName): string {
  return 'text' in name ? `${name.type} "${name.text.slice(0, LONGEST_SHOWN)}"` : name.type;
}

/** In messages; a SPIFFE ID has 2,048 characters at most, a request may have more. */
const LONGEST_SHOWN = 256;

function refuse(
  code: 'malformed-request' | 'request-unsupported-key' | 'request-not-proven' | 'request-several-uris',
  detail: string,
): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS[code], detail });
}
