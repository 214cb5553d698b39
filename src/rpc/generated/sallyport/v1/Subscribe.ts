// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Known as _sallyport_v1_Known, Known__Output as _sallyport_v1_Known__Output } from '../../sallyport/v1/Known.ts';

export interface Subscribe {
  'keys'?: (_sallyport_v1_Known)[];
}

export interface Subscribe__Output {
  'keys': (_sallyport_v1_Known__Output)[];
}
