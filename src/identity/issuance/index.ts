/** The door of issuance in a cluster: the service of the controller, and the sidecar's client of it. */
export type { AttestedPod, Attestor } from './attestor.ts';
export { RemoteIssuance } from './client.ts';
export { ISSUANCE_LIMITS } from './limits.ts';
export { RateLimit } from './rate-limit.ts';
export { ISSUANCE_REASONS } from './reasons.ts';
export { refuseIssuance, refuseRevoked } from './refuse.ts';
export type { Revocation } from './revocation.ts';
export { Revocations } from './revocations.ts';
export { supersedes, type TokenLedger, type TokenUse } from './token-keys.ts';
export { type IssuanceOutcome, IssuanceService } from './service.ts';
