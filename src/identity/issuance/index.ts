/** The door of issuance in a cluster: the service of the controller, and the sidecar's client of it. */
export { RemoteIssuance } from './client.ts';
export { ISSUANCE_REASONS } from './reasons.ts';
