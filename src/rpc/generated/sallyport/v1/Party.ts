// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Meshed as _sallyport_v1_Meshed, Meshed__Output as _sallyport_v1_Meshed__Output } from '../../sallyport/v1/Meshed.ts';
import type { Unmeshed as _sallyport_v1_Unmeshed, Unmeshed__Output as _sallyport_v1_Unmeshed__Output } from '../../sallyport/v1/Unmeshed.ts';

export interface Party {
  'meshed'?: (_sallyport_v1_Meshed | null);
  'unmeshed'?: (_sallyport_v1_Unmeshed | null);
  'party'?: "meshed"|"unmeshed";
}

export interface Party__Output {
  'meshed'?: (_sallyport_v1_Meshed__Output | null);
  'unmeshed'?: (_sallyport_v1_Unmeshed__Output | null);
  'party'?: "meshed"|"unmeshed";
}
