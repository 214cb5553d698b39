/**
 * The door of remote calls: gRPC over our own TLS engine, in both directions. Services are written against
 * `RpcConnection`, which says who the other side proved to be; the protocol is in proto/sallyport/v1.
 */
export {
  type CallOptions,
  RpcChannel,
  type RpcChannelConfig,
  type RpcMethod,
  type RpcTarget,
} from './channel.ts';
export type { RpcFailure } from './failure.ts';
export type { RpcLimits } from './limits.ts';
export type * from './messages.ts';
export { DISCOVERY, ISSUANCE } from './protocol.ts';
export { RPC_REASONS } from './reasons.ts';
export { type RpcEvent, RpcServer, type RpcServerConfig } from './server.ts';
export {
  guarded,
  type RpcConnection,
  type RpcRefusal,
  type RpcService,
  type RpcStatus,
  serve,
  statusError,
  type UnaryCall,
} from './service.ts';
