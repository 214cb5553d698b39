// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Networks as _sallyport_v1_Networks, Networks__Output as _sallyport_v1_Networks__Output } from '../../sallyport/v1/Networks.ts';
import type { Answer as _sallyport_v1_Answer, Answer__Output as _sallyport_v1_Answer__Output } from '../../sallyport/v1/Answer.ts';
import type { Renewed as _sallyport_v1_Renewed, Renewed__Output as _sallyport_v1_Renewed__Output } from '../../sallyport/v1/Renewed.ts';
import type { Policies as _sallyport_v1_Policies, Policies__Output as _sallyport_v1_Policies__Output } from '../../sallyport/v1/Policies.ts';

export interface DiscoveryResponse {
  'networks'?: (_sallyport_v1_Networks | null);
  'answer'?: (_sallyport_v1_Answer | null);
  'renewed'?: (_sallyport_v1_Renewed | null);
  'policies'?: (_sallyport_v1_Policies | null);
  'response'?: "networks"|"answer"|"renewed"|"policies";
}

export interface DiscoveryResponse__Output {
  'networks'?: (_sallyport_v1_Networks__Output | null);
  'answer'?: (_sallyport_v1_Answer__Output | null);
  'renewed'?: (_sallyport_v1_Renewed__Output | null);
  'policies'?: (_sallyport_v1_Policies__Output | null);
  'response'?: "networks"|"answer"|"renewed"|"policies";
}
