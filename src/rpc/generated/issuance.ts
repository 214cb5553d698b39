// Written by scripts/protocol.ts. Do not edit.
import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { IssuanceClient as _sallyport_v1_IssuanceClient, IssuanceDefinition as _sallyport_v1_IssuanceDefinition } from './sallyport/v1/Issuance.ts';
import type { IssueRequest as _sallyport_v1_IssueRequest, IssueRequest__Output as _sallyport_v1_IssueRequest__Output } from './sallyport/v1/IssueRequest.ts';
import type { IssueResponse as _sallyport_v1_IssueResponse, IssueResponse__Output as _sallyport_v1_IssueResponse__Output } from './sallyport/v1/IssueResponse.ts';
import type { RenewRequest as _sallyport_v1_RenewRequest, RenewRequest__Output as _sallyport_v1_RenewRequest__Output } from './sallyport/v1/RenewRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  sallyport: {
    v1: {
      /**
       * Certificates for workloads. Whom a certificate names is decided by what the caller proves, never by the request.
       */
      Issuance: SubtypeConstructor<typeof grpc.Client, _sallyport_v1_IssuanceClient> & { service: _sallyport_v1_IssuanceDefinition }
      IssueRequest: MessageTypeDefinition<_sallyport_v1_IssueRequest, _sallyport_v1_IssueRequest__Output>
      IssueResponse: MessageTypeDefinition<_sallyport_v1_IssueResponse, _sallyport_v1_IssueResponse__Output>
      RenewRequest: MessageTypeDefinition<_sallyport_v1_RenewRequest, _sallyport_v1_RenewRequest__Output>
    }
  }
}

