// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/issuance.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { IssueRequest as _sallyport_v1_IssueRequest, IssueRequest__Output as _sallyport_v1_IssueRequest__Output } from '../../sallyport/v1/IssueRequest.ts';
import type { IssueResponse as _sallyport_v1_IssueResponse, IssueResponse__Output as _sallyport_v1_IssueResponse__Output } from '../../sallyport/v1/IssueResponse.ts';
import type { RenewRequest as _sallyport_v1_RenewRequest, RenewRequest__Output as _sallyport_v1_RenewRequest__Output } from '../../sallyport/v1/RenewRequest.ts';

/**
 * Certificates for workloads. Whom a certificate names is decided by what the caller proves, never by the request.
 */
export interface IssuanceClient extends grpc.Client {
  /**
   * The first certificate of a pod: proved by a projected ServiceAccount token. No client certificate is needed.
   */
  Issue(argument: _sallyport_v1_IssueRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Issue(argument: _sallyport_v1_IssueRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Issue(argument: _sallyport_v1_IssueRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Issue(argument: _sallyport_v1_IssueRequest, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The first certificate of a pod: proved by a projected ServiceAccount token. No client certificate is needed.
   */
  issue(argument: _sallyport_v1_IssueRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issue(argument: _sallyport_v1_IssueRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issue(argument: _sallyport_v1_IssueRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issue(argument: _sallyport_v1_IssueRequest, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * The next one: proved by the client certificate of the connection, which is still valid.
   */
  Renew(argument: _sallyport_v1_RenewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Renew(argument: _sallyport_v1_RenewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Renew(argument: _sallyport_v1_RenewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Renew(argument: _sallyport_v1_RenewRequest, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The next one: proved by the client certificate of the connection, which is still valid.
   */
  renew(argument: _sallyport_v1_RenewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  renew(argument: _sallyport_v1_RenewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  renew(argument: _sallyport_v1_RenewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  renew(argument: _sallyport_v1_RenewRequest, callback: grpc.requestCallback<_sallyport_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Certificates for workloads. Whom a certificate names is decided by what the caller proves, never by the request.
 */
export interface IssuanceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The first certificate of a pod: proved by a projected ServiceAccount token. No client certificate is needed.
   */
  Issue: grpc.handleUnaryCall<_sallyport_v1_IssueRequest__Output, _sallyport_v1_IssueResponse>;
  
  /**
   * The next one: proved by the client certificate of the connection, which is still valid.
   */
  Renew: grpc.handleUnaryCall<_sallyport_v1_RenewRequest__Output, _sallyport_v1_IssueResponse>;
  
}

export interface IssuanceDefinition extends grpc.ServiceDefinition {
  Issue: MethodDefinition<_sallyport_v1_IssueRequest, _sallyport_v1_IssueResponse, _sallyport_v1_IssueRequest__Output, _sallyport_v1_IssueResponse__Output>
  Renew: MethodDefinition<_sallyport_v1_RenewRequest, _sallyport_v1_IssueResponse, _sallyport_v1_RenewRequest__Output, _sallyport_v1_IssueResponse__Output>
}
