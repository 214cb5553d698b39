/** The door of identity: who a peer is and whether to believe it. `#identity/ca` issues, `#identity/workload` renews. */
export { parseSpiffeId, type SpiffeId, serviceAccountId, serviceAccountOf } from './spiffe-id.ts';
export { parseTrustDomain } from './trust-domain.ts';
