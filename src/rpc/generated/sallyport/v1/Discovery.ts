// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DiscoveryRequest as _sallyport_v1_DiscoveryRequest, DiscoveryRequest__Output as _sallyport_v1_DiscoveryRequest__Output } from '../../sallyport/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse as _sallyport_v1_DiscoveryResponse, DiscoveryResponse__Output as _sallyport_v1_DiscoveryResponse__Output } from '../../sallyport/v1/DiscoveryResponse.ts';

/**
 * Who stands behind an address, told as it changes.
 */
export interface DiscoveryClient extends grpc.Client {
  /**
   * One stream for each sidecar: it asks, and is told of changes of what it asked for. What was asked for once is told
   * until it is taken back. Answers come in the order in which they became true.
   */
  Watch(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryResponse__Output>;
  Watch(options?: grpc.CallOptions): grpc.ClientDuplexStream<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryResponse__Output>;
  /**
   * One stream for each sidecar: it asks, and is told of changes of what it asked for. What was asked for once is told
   * until it is taken back. Answers come in the order in which they became true.
   */
  watch(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryResponse__Output>;
  watch(options?: grpc.CallOptions): grpc.ClientDuplexStream<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryResponse__Output>;
  
}

/**
 * Who stands behind an address, told as it changes.
 */
export interface DiscoveryHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One stream for each sidecar: it asks, and is told of changes of what it asked for. What was asked for once is told
   * until it is taken back. Answers come in the order in which they became true.
   */
  Watch: grpc.handleBidiStreamingCall<_sallyport_v1_DiscoveryRequest__Output, _sallyport_v1_DiscoveryResponse>;
  
}

export interface DiscoveryDefinition extends grpc.ServiceDefinition {
  Watch: MethodDefinition<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryResponse, _sallyport_v1_DiscoveryRequest__Output, _sallyport_v1_DiscoveryResponse__Output>
}
