/** Types of messages and handlers, from the .proto files. `__Output` is what was received: all fields are there. */
export type {
  DiscoveryHandlers,
  DiscoveryDefinition,
} from './generated/sallyport/v1/Discovery.ts';
export type {
  DiscoveryRequest,
  DiscoveryRequest__Output,
} from './generated/sallyport/v1/DiscoveryRequest.ts';
export type {
  DiscoveryResponse,
  DiscoveryResponse__Output,
} from './generated/sallyport/v1/DiscoveryResponse.ts';
export type { IssueRequest__Output } from './generated/sallyport/v1/IssueRequest.ts';
export type { IssueResponse, IssueResponse__Output } from './generated/sallyport/v1/IssueResponse.ts';
export type { RenewRequest__Output } from './generated/sallyport/v1/RenewRequest.ts';
export type { IssuanceHandlers } from './generated/sallyport/v1/Issuance.ts';
