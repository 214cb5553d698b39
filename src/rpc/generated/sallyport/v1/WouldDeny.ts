// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Connections that were let in and that a Shadow policy would have refused.
 */
export interface WouldDeny {
  /**
   * The policy's.
   */
  'key'?: (string);
  /**
   * Of its rules, from 1; 0: none matched.
   */
  'rule'?: (number);
  /**
   * A SPIFFE ID, or the address of a caller in plaintext; empty: several.
   */
  'caller'?: (string);
  /**
   * That was called.
   */
  'port'?: (number);
  'count'?: (number | string | Long);
}

/**
 * Connections that were let in and that a Shadow policy would have refused.
 */
export interface WouldDeny__Output {
  /**
   * The policy's.
   */
  'key': (string);
  /**
   * Of its rules, from 1; 0: none matched.
   */
  'rule': (number);
  /**
   * A SPIFFE ID, or the address of a caller in plaintext; empty: several.
   */
  'caller': (string);
  /**
   * That was called.
   */
  'port': (number);
  'count': (number);
}
