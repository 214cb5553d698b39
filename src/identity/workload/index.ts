/** The door of a workload's own identity: keys, renewal, credentials. */
export { WorkloadAgent } from './agent.ts';
export type { WorkloadCredential } from './credentials.ts';
export type { IssuanceClient } from './issuance.ts';
export { type MountedFiles, readMounted } from './mounted.ts';
