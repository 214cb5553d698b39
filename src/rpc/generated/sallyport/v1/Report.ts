// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { WouldDeny as _sallyport_v1_WouldDeny, WouldDeny__Output as _sallyport_v1_WouldDeny__Output } from '../../sallyport/v1/WouldDeny.ts';
import type { PlaintextSeen as _sallyport_v1_PlaintextSeen, PlaintextSeen__Output as _sallyport_v1_PlaintextSeen__Output } from '../../sallyport/v1/PlaintextSeen.ts';

/**
 * What this sidecar saw since its last report; only for a controller that told it policies.
 */
export interface Report {
  'wouldDeny'?: (_sallyport_v1_WouldDeny)[];
  'plaintext'?: (_sallyport_v1_PlaintextSeen)[];
}

/**
 * What this sidecar saw since its last report; only for a controller that told it policies.
 */
export interface Report__Output {
  'wouldDeny': (_sallyport_v1_WouldDeny__Output)[];
  'plaintext': (_sallyport_v1_PlaintextSeen__Output)[];
}
