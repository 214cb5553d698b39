import type { PresentedChain, Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { claimedSpiffeId } from '../svid.ts';
import type { Certificate } from '../x509/certificate.ts';
import { buildPath, type ValidPath } from './build.ts';
import { CertificateIndex } from './certificate-index.ts';
import { KnownIntermediates } from './known-intermediates.ts';
import { readPresented } from './presented.ts';
import { refuse } from './refuse.ts';
import { SPIFFE_PROFILE } from './spiffe-profile.ts';

/** An identity that was proved up to the possession of its key, which the handshake proves. */
export interface VerifiedSvid {
  readonly spiffeId: SpiffeId;
  readonly leaf: Certificate;
  /** Leaf first, root last. */
  readonly path: ValidPath;
}

/**
 * X509-SVID 5: reads what a peer presented, takes the trust domain from the claimed ID, and validates a path to a
 * root of that domain's bundle, for the role the peer has, at `time` (milliseconds since the Unix epoch).
 */
export function verifySvid(
  presented: PresentedChain,
  bundle: TrustBundle,
  time: number,
): Result<VerifiedSvid, Refusal> {
  const { index, known } = rootsOf(bundle);
  const read = readPresented(presented.chain, MOST_PRESENTED, known);
  if (!read.ok) return read;
  const { leaf, others, unreadable } = read.value;
  // An authority of a mesh writes no certificate that can't be read: whoever sends one is not to be guessed at.
  if (unreadable[0] !== undefined) return err(unreadable[0]);
  const claimed = claimedSpiffeId(leaf);
  if (!claimed.ok) return claimed;
  // Before the path, so that roots of one domain can never speak for another.
  if (claimed.value.trustDomain !== bundle.trustDomain) {
    const what = `it claims trust domain "${claimed.value.trustDomain}", the roots here are for "${bundle.trustDomain}"`;
    return err(refuse(IDENTITY_REASONS['wrong-trust-domain'], leaf, what));
  }
  const path = buildPath(leaf, others, index, {
    time,
    purpose: presented.role === 'server' ? 'serverAuth' : 'clientAuth',
    profile: SPIFFE_PROFILE,
    known,
  });
  return path.ok ? ok({ spiffeId: claimed.value, leaf, path: path.value }) : path;
}

/** Leaf, intermediates, and what peers send beside them: a chain of a mesh has three certificates. */
export const MOST_PRESENTED = 8;

interface Roots {
  readonly index: CertificateIndex;
  readonly known: KnownIntermediates;
}

const ROOTS = new WeakMap<TrustBundle, Roots>();

function rootsOf(bundle: TrustBundle): Roots {
  const roots = ROOTS.get(bundle) ?? {
    index: new CertificateIndex(bundle.roots),
    known: new KnownIntermediates(),
  };
  ROOTS.set(bundle, roots);
  return roots;
}
