import type { PeerVerifier, PresentedChain, Refusal, VerifiedPeer } from '#handshake';
import { type Clock, err, ok, type ReadableWatch, type Result } from '#runtime';
import type { TrustBundle } from './bundle.ts';
import { chainKey, type Entry, type VerifiedChainCounts, VerifiedChains } from './path/verified-chains.ts';
import { verifySvid } from './path/verify-svid.ts';
import { IDENTITY_REASONS } from './reasons.ts';
import type { SpiffeId } from './spiffe-id.ts';
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

/**
 * Believes peers whose certificate is an X509-SVID under the bundle. Synchronous; never throws on what a peer sent. All
 * verifiers under one bundle share what was found out about chains.
 */
export function spiffeVerifier(config: SpiffeVerifierConfig): PeerVerifier<SpiffePeer> {
  const { bundle: bundles, clock, accept } = config;
  /** Validated just now, and not yet proved. */
  const fresh = new WeakMap<SpiffePeer, () => void>();
  return {
    verify(presented) {
      const bundle = bundles.value;
      const expected = config.acceptText ?? `any workload of trust domain "${bundle.trustDomain}"`;
      const chains = chainsOf(bundle);
      const [key, time] = [chainKey(presented), clock.now()];
      const before = chains.find(key, time);
      const found = before === undefined ? validate(presented, bundle, time) : ok({ verdict: before });
      if (!found.ok) return err(withExpectation(found.error, expected));
      const { verdict: peer } = found.value;
      if (accept !== undefined && !accept(peer.spiffeId)) {
        const detail = describe(peer);
        return err(withExpectation({ reason: IDENTITY_REASONS['spiffe-id-mismatch'], detail }, expected));
      }
      if ('from' in found.value) {
        const entry = found.value;
        fresh.set(peer, () => chains.keep(key, entry));
      }
      return ok(peer);
    },
    proved(peer) {
      fresh.get(peer)?.();
      fresh.delete(peer);
    },
  };
}

const CHAINS = new WeakMap<TrustBundle, VerifiedChains<SpiffePeer>>();
const COUNTS: VerifiedChainCounts = { hits: 0, misses: 0 };

/** How often a chain was validated before, and how often not, since the process began. */
export function verifiedChainCounts(): Readonly<VerifiedChainCounts> {
  return COUNTS;
}

function chainsOf(bundle: TrustBundle): VerifiedChains<SpiffePeer> {
  const chains = CHAINS.get(bundle) ?? new VerifiedChains<SpiffePeer>(COUNTS);
  CHAINS.set(bundle, chains);
  return chains;
}

function validate(
  presented: PresentedChain,
  bundle: TrustBundle,
  time: number,
): Result<Entry<SpiffePeer>, Refusal> {
  const svid = verifySvid(presented, bundle, time);
  if (!svid.ok) return svid;
  const { spiffeId, leaf, path } = svid.value;
  const verdict: SpiffePeer = Object.freeze({
    spiffeId,
    identity: spiffeId.toString(),
    publicKey: leaf.publicKey.spki,
    keyType: leaf.publicKey.type,
    serial: leaf.serial,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
    pod: leaf.extensions.podIdentity,
  });
  return ok({
    verdict,
    from: Math.max(...path.map(({ notBefore }) => notBefore)),
    until: Math.min(...path.map(({ notAfter }) => notAfter)),
  });
}

function describe({ identity, serial, notBefore, notAfter }: SpiffePeer): string {
  const [from, to] = [notBefore, notAfter].map((time) => new Date(time).toISOString());
  return `${identity}, serial ${serial}, valid ${from} to ${to}`;
}

/** An operator needs both identities, the one shown and the one wanted, and what to try. */
function withExpectation({ reason, detail }: Refusal, expected: string): Refusal {
  return { reason, detail: `presented: ${detail}; expected: ${expected}; ${reason.next}` };
}
