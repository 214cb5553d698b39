import type { PresentedChain, Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { claimedSpiffeId } from '../svid.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { problemText } from '../x509/problem.ts';
import { buildPath, PATH_LIMITS, type ValidPath } from './build.ts';
import { refuse } from './refuse.ts';
import { checkSpiffeLeaf } from './spiffe-profile.ts';

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
  const certificates = readPresented(presented.chain);
  if (!certificates.ok) return certificates;
  const [leaf, ...others] = certificates.value;
  const claimed = claimedSpiffeId(leaf);
  if (!claimed.ok) return claimed;
  // Before the path, so that roots of one domain can never speak for another.
  if (claimed.value.trustDomain !== bundle.trustDomain) {
    const what = `it claims trust domain "${claimed.value.trustDomain}", the roots here are for "${bundle.trustDomain}"`;
    return err(refuse(IDENTITY_REASONS['wrong-trust-domain'], leaf, what));
  }
  const path = buildPath(leaf, others, bundle.roots, {
    time,
    purpose: presented.role === 'server' ? 'serverAuth' : 'clientAuth',
    checkLeaf: checkSpiffeLeaf,
  });
  return path.ok ? ok({ spiffeId: claimed.value, leaf, path: path.value }) : path;
}

function readPresented(
  chain: readonly Uint8Array[],
): Result<readonly [Certificate, ...Certificate[]], Refusal> {
  if (chain.length > PATH_LIMITS.presented) {
    const detail = `${chain.length} certificates were sent; at most ${PATH_LIMITS.presented} are read`;
    return err({ reason: IDENTITY_REASONS['too-many-certificates'], detail });
  }
  const certificates: Certificate[] = [];
  for (const [index, der] of chain.entries()) {
    const certificate = parseCertificate(der);
    if (!certificate.ok) {
      const detail = `certificate ${index + 1} of ${chain.length} ${problemText(certificate.error)}`;
      return err({ reason: REASON_OF_PROBLEM[certificate.error.kind], detail });
    }
    certificates.push(certificate.value);
  }
  const [leaf, ...others] = certificates;
  if (leaf === undefined) {
    return err({ reason: IDENTITY_REASONS['malformed-certificate'], detail: 'no certificate was sent' });
  }
  return ok([leaf, ...others]);
}

const REASON_OF_PROBLEM = {
  malformed: IDENTITY_REASONS['malformed-certificate'],
  'unsupported-key': IDENTITY_REASONS['unsupported-public-key'],
  'weak-key': IDENTITY_REASONS['weak-public-key'],
} as const;
