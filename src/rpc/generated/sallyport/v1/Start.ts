// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Position as _sallyport_v1_Position, Position__Output as _sallyport_v1_Position__Output } from '../../sallyport/v1/Position.ts';
import type { PoliciesKnown as _sallyport_v1_PoliciesKnown, PoliciesKnown__Output as _sallyport_v1_PoliciesKnown__Output } from '../../sallyport/v1/PoliciesKnown.ts';

export interface Start {
  /**
   * The newest that this sidecar was ever told. A replica that is behind answers when it has caught up.
   */
  'seen'?: (_sallyport_v1_Position | null);
  /**
   * It wants to be told the policies that concern it. Which those are follows from its certificate.
   */
  'policies'?: (_sallyport_v1_PoliciesKnown | null);
}

export interface Start__Output {
  /**
   * The newest that this sidecar was ever told. A replica that is behind answers when it has caught up.
   */
  'seen': (_sallyport_v1_Position__Output | null);
  /**
   * It wants to be told the policies that concern it. Which those are follows from its certificate.
   */
  'policies': (_sallyport_v1_PoliciesKnown__Output | null);
}
