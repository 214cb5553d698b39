// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Key as _sallyport_v1_Key, Key__Output as _sallyport_v1_Key__Output } from '../../sallyport/v1/Key.ts';

/**
 * The sidecar can't use an answer, and takes it for Unknown.
 */
export interface Reject {
  'key'?: (_sallyport_v1_Key | null);
  'version'?: (string);
  'detail'?: (string);
}

/**
 * The sidecar can't use an answer, and takes it for Unknown.
 */
export interface Reject__Output {
  'key': (_sallyport_v1_Key__Output | null);
  'version': (string);
  'detail': (string);
}
