/** The door of the sidecar: one gate per service. */
export type { Readiness } from './admin/readiness.ts';
export { type Destination, type OutboundConfig, type SidecarConfig, SidecarConfigError } from './config.ts';
export { DEFAULT_LIMITS, type SidecarLimits } from './limits.ts';
export { BindError } from './listen/bind.ts';
export type { Endpoint } from './listen/endpoint.ts';
export { SIDECAR_REASONS } from './reason.ts';
export { Sidecar, type SidecarAddresses } from './sidecar.ts';
