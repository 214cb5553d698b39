/** The door of the sidecar: one gate per service. */
export { type CaptureConfig, type Destination, SidecarConfigError } from './config.ts';
export { type DestinationEntry, Destinations } from './discover/destinations.ts';
export { Discovery, type DiscoveryConfig } from './discover/discovery.ts';
export { ToldPolicies } from './discover/policies.ts';
export { Reports } from './discover/reports.ts';
export type { DestinationSource } from './discover/source.ts';
export type { SidecarLimits } from './limits.ts';
export { BindError } from './listen/bind.ts';
export type { Endpoint } from './listen/endpoint.ts';
export type { Probe } from './probes/probe.ts';
export { SIDECAR_REASONS } from './reason.ts';
export { Sidecar } from './sidecar.ts';
