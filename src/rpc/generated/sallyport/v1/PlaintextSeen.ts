// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

export interface PlaintextSeen {
  /**
   * Of the caller; empty: several.
   */
  'address'?: (string);
  /**
   * That was called.
   */
  'port'?: (number);
  'passed'?: (number | string | Long);
  'refused'?: (number | string | Long);
}

export interface PlaintextSeen__Output {
  /**
   * Of the caller; empty: several.
   */
  'address': (string);
  /**
   * That was called.
   */
  'port': (number);
  'passed': (number);
  'refused': (number);
}
