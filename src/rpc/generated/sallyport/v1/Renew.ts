// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Asks for a lease on everything that was told, from the moment of this request.
 */
export interface Renew {
  'sequence'?: (number | string | Long);
}

/**
 * Asks for a lease on everything that was told, from the moment of this request.
 */
export interface Renew__Output {
  'sequence': (number);
}
