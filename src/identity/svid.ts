import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { IDENTITY_REASONS } from './reasons.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';
import { type Certificate, describeCertificate } from './x509/certificate.ts';

/**
 * The SPIFFE ID of a leaf: its one and only URI name (X509-SVID 2: "An X.509 SVID MUST contain exactly one URI SAN").
 * Says what the certificate claims; whether to believe it is for the path code. Other kinds of names are allowed
 * beside it and never read as an identity.
 */
export function claimedSpiffeId(leaf: Certificate): Result<SpiffeId, Refusal> {
  const refuse = (reason: Refusal['reason'], what: string): Result<SpiffeId, Refusal> =>
    err({ reason, detail: `${describeCertificate(leaf)}: ${what}` });
  const names = leaf.extensions.subjectAltName ?? [];
  const uris = names.flatMap((name) => (name.type === 'uri' ? [name.text] : []));
  const [uri] = uris;
  if (uri === undefined) {
    return refuse(
      IDENTITY_REASONS['no-spiffe-id'],
      `its subjectAltName has ${names.length} names, none of them a URI`,
    );
  }
  if (uris.length > 1) return refuse(IDENTITY_REASONS['several-uri-sans'], `it has ${uris.length} URIs`);
  const id = parseSpiffeId(uri);
  if (!id.ok) return refuse(IDENTITY_REASONS['invalid-spiffe-id'], id.error);
  if (id.value.path === '') {
    return refuse(IDENTITY_REASONS['invalid-spiffe-id'], 'it names a trust domain, which is no workload');
  }
  return ok(id.value);
}
