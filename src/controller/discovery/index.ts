/** The door of discovery: the cluster's objects followed, and told to sidecars as `sallyport.v1.Discovery`. */
export { Cluster, type ClusterConfig, type Position } from './cluster.ts';
export type { ObjectKind } from './graph/records.ts';
export { DISCOVERY_REASONS } from './reasons.ts';
export { Hub, type HubConfig } from './serve/hub.ts';
export { discoveryService } from './serve/service.ts';
export { apiObjects } from './watch/api-objects.ts';
