/** The door to discovery over gRPC, which is for those who load it when they want it: `#sidecar` is without it. */
export { rpcDiscovery } from './rpc-discovery.ts';
