// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Key as _sallyport_v1_Key, Key__Output as _sallyport_v1_Key__Output } from '../../sallyport/v1/Key.ts';

export interface Unsubscribe {
  'keys'?: (_sallyport_v1_Key)[];
}

export interface Unsubscribe__Output {
  'keys': (_sallyport_v1_Key__Output)[];
}
