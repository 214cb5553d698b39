// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Position as _sallyport_v1_Position, Position__Output as _sallyport_v1_Position__Output } from '../../sallyport/v1/Position.ts';
import type { Long } from '@grpc/proto-loader';

export interface Renewed {
  'sequence'?: (number | string | Long);
  /**
   * From when the request was sent; 0: none, since the controller itself has heard nothing new for too long.
   */
  'leaseMilliseconds'?: (number | string | Long);
  'position'?: (_sallyport_v1_Position | null);
}

export interface Renewed__Output {
  'sequence': (number);
  /**
   * From when the request was sent; 0: none, since the controller itself has heard nothing new for too long.
   */
  'leaseMilliseconds': (number);
  'position': (_sallyport_v1_Position__Output | null);
}
