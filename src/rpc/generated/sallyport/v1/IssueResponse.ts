// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/issuance.proto

import type { Long } from '@grpc/proto-loader';

export interface IssueResponse {
  /**
   * DER, leaf first, never the root.
   */
  'chain'?: (Buffer | Uint8Array | string)[];
  /**
   * The authority's clock when it signed, milliseconds since the Unix epoch: a caller measures its own against it.
   */
  'authorityTime'?: (number | string | Long);
}

export interface IssueResponse__Output {
  /**
   * DER, leaf first, never the root.
   */
  'chain': (Buffer)[];
  /**
   * The authority's clock when it signed, milliseconds since the Unix epoch: a caller measures its own against it.
   */
  'authorityTime': (number);
}
