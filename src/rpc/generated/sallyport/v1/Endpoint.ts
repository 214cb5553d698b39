// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Party as _sallyport_v1_Party, Party__Output as _sallyport_v1_Party__Output } from '../../sallyport/v1/Party.ts';

export interface Endpoint {
  'address'?: (string);
  'port'?: (number);
  'party'?: (_sallyport_v1_Party | null);
  'node'?: (string);
  'zone'?: (string);
  /**
   * It serves, but is about to go.
   */
  'terminating'?: (boolean);
}

export interface Endpoint__Output {
  'address': (string);
  'port': (number);
  'party': (_sallyport_v1_Party__Output | null);
  'node': (string);
  'zone': (string);
  /**
   * It serves, but is about to go.
   */
  'terminating': (boolean);
}
