// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Party as _sallyport_v1_Party, Party__Output as _sallyport_v1_Party__Output } from '../../sallyport/v1/Party.ts';

export interface Workload {
  /**
   * `name.namespace`, for logs.
   */
  'name'?: (string);
  'party'?: (_sallyport_v1_Party | null);
}

export interface Workload__Output {
  /**
   * `name.namespace`, for logs.
   */
  'name': (string);
  'party': (_sallyport_v1_Party__Output | null);
}
