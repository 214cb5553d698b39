// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Position as _sallyport_v1_Position, Position__Output as _sallyport_v1_Position__Output } from '../../sallyport/v1/Position.ts';

export interface Start {
  /**
   * The newest that this sidecar was ever told. A replica that is behind answers when it has caught up.
   */
  'seen'?: (_sallyport_v1_Position | null);
}

export interface Start__Output {
  /**
   * The newest that this sidecar was ever told. A replica that is behind answers when it has caught up.
   */
  'seen': (_sallyport_v1_Position__Output | null);
}
