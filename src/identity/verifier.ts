import type { PeerVerifier, Refusal, VerifiedPeer } from '#handshake';
import { type Clock, err, ok, type ReadableWatch } from '#runtime';
import type { TrustBundle } from './bundle.ts';
import { verifySvid } from './path/verify-svid.ts';
import { IDENTITY_REASONS } from './reasons.ts';
import type { SpiffeId } from './spiffe-id.ts';
import { describeCertificate } from './x509/certificate.ts';
import type { PodIdentity } from './x509/extensions/pod-identity.ts';

export interface SpiffePeer extends VerifiedPeer {
  readonly spiffeId: SpiffeId;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  /** The pod that the certificate was issued to, if it says so. */
  readonly pod: PodIdentity | undefined;
}

export interface SpiffeVerifierConfig {
  /** The newest bundle is read at each verification. */
  readonly bundle: ReadableWatch<TrustBundle>;
  readonly clock: Clock;
  /** Whether this identity, already proved, is one that is expected. Without it any of the trust domain is. */
  readonly accept?: (id: SpiffeId) => boolean;
  /** What `accept` expects, for people: `spiffe://mesh/ns/shop/sa/orders`. */
  readonly acceptText?: string;
}

/** Believes peers whose certificate is an X509-SVID under the bundle. Synchronous; never throws on what a peer sent. */
export function spiffeVerifier(config: SpiffeVerifierConfig): PeerVerifier<SpiffePeer> {
  const { bundle: bundles, clock, accept } = config;
  return {
    verify(presented) {
      const bundle = bundles.value;
      const expected = config.acceptText ?? `any workload of trust domain "${bundle.trustDomain}"`;
      const svid = verifySvid(presented, bundle, clock.now());
      if (!svid.ok) return err(withExpectation(svid.error, expected));
      const { spiffeId, leaf } = svid.value;
      if (accept !== undefined && !accept(spiffeId)) {
        const reason = IDENTITY_REASONS['spiffe-id-mismatch'];
        return err(withExpectation({ reason, detail: describeCertificate(leaf) }, expected));
      }
      return ok({
        spiffeId,
        identity: spiffeId.toString(),
        publicKey: leaf.publicKey.spki,
        keyType: leaf.publicKey.type,
        serial: leaf.serial,
        notBefore: leaf.notBefore,
        notAfter: leaf.notAfter,
        pod: leaf.extensions.podIdentity,
      });
    },
  };
}

/** An operator needs both identities, the one shown and the one wanted, and what to try. */
function withExpectation({ reason, detail }: Refusal, expected: string): Refusal {
  return { reason, detail: `presented: ${detail}; expected: ${expected}; ${reason.next}` };
}
