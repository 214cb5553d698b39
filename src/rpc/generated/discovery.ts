// Written by scripts/protocol.ts. Do not edit.
import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DiscoveryClient as _sallyport_v1_DiscoveryClient, DiscoveryDefinition as _sallyport_v1_DiscoveryDefinition } from './sallyport/v1/Discovery.ts';
import type { DiscoveryRequest as _sallyport_v1_DiscoveryRequest, DiscoveryRequest__Output as _sallyport_v1_DiscoveryRequest__Output } from './sallyport/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse as _sallyport_v1_DiscoveryResponse, DiscoveryResponse__Output as _sallyport_v1_DiscoveryResponse__Output } from './sallyport/v1/DiscoveryResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  sallyport: {
    v1: {
      /**
       * Who stands behind an address, told as it changes.
       */
      Discovery: SubtypeConstructor<typeof grpc.Client, _sallyport_v1_DiscoveryClient> & { service: _sallyport_v1_DiscoveryDefinition }
      DiscoveryRequest: MessageTypeDefinition<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryRequest__Output>
      DiscoveryResponse: MessageTypeDefinition<_sallyport_v1_DiscoveryResponse, _sallyport_v1_DiscoveryResponse__Output>
    }
  }
}

