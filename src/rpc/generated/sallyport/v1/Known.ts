// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Key as _sallyport_v1_Key, Key__Output as _sallyport_v1_Key__Output } from '../../sallyport/v1/Key.ts';

export interface Known {
  'key'?: (_sallyport_v1_Key | null);
  /**
   * Of the answer that the sidecar has; empty: none. It is told again only if there is another by now.
   */
  'version'?: (string);
}

export interface Known__Output {
  'key': (_sallyport_v1_Key__Output | null);
  /**
   * Of the answer that the sidecar has; empty: none. It is told again only if there is another by now.
   */
  'version': (string);
}
