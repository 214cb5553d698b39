/** The door of identity: who a peer is and whether to believe it. `#identity/ca` issues, `#identity/workload` renews. */
export {
  createTrustBundle,
  encodeTrustBundle,
  lastingRoot,
  parseTrustBundle,
  type TrustBundle,
} from './bundle.ts';
export type { IssuedCertificate } from './issued-certificate.ts';
export { IDENTITY_REASONS } from './reasons.ts';
export { parseSpiffeId, type SpiffeId, serviceAccountId, serviceAccountOf } from './spiffe-id.ts';
export { parseTrustDomain } from './trust-domain.ts';
export { encodePem } from './x509/pem.ts';
export type { PodIdentity } from './x509/extensions/pod-identity.ts';
export { type SpiffePeer, spiffeVerifier, verifiedChainCounts } from './verifier.ts';
