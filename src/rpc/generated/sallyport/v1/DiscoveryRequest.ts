// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Start as _sallyport_v1_Start, Start__Output as _sallyport_v1_Start__Output } from '../../sallyport/v1/Start.ts';
import type { Subscribe as _sallyport_v1_Subscribe, Subscribe__Output as _sallyport_v1_Subscribe__Output } from '../../sallyport/v1/Subscribe.ts';
import type { Unsubscribe as _sallyport_v1_Unsubscribe, Unsubscribe__Output as _sallyport_v1_Unsubscribe__Output } from '../../sallyport/v1/Unsubscribe.ts';
import type { Renew as _sallyport_v1_Renew, Renew__Output as _sallyport_v1_Renew__Output } from '../../sallyport/v1/Renew.ts';
import type { Reject as _sallyport_v1_Reject, Reject__Output as _sallyport_v1_Reject__Output } from '../../sallyport/v1/Reject.ts';
import type { Report as _sallyport_v1_Report, Report__Output as _sallyport_v1_Report__Output } from '../../sallyport/v1/Report.ts';

export interface DiscoveryRequest {
  /**
   * The first, and only the first.
   */
  'start'?: (_sallyport_v1_Start | null);
  'subscribe'?: (_sallyport_v1_Subscribe | null);
  'unsubscribe'?: (_sallyport_v1_Unsubscribe | null);
  'renew'?: (_sallyport_v1_Renew | null);
  'reject'?: (_sallyport_v1_Reject | null);
  'report'?: (_sallyport_v1_Report | null);
  'request'?: "start"|"subscribe"|"unsubscribe"|"renew"|"reject"|"report";
}

export interface DiscoveryRequest__Output {
  /**
   * The first, and only the first.
   */
  'start'?: (_sallyport_v1_Start__Output | null);
  'subscribe'?: (_sallyport_v1_Subscribe__Output | null);
  'unsubscribe'?: (_sallyport_v1_Unsubscribe__Output | null);
  'renew'?: (_sallyport_v1_Renew__Output | null);
  'reject'?: (_sallyport_v1_Reject__Output | null);
  'report'?: (_sallyport_v1_Report__Output | null);
  'request'?: "start"|"subscribe"|"unsubscribe"|"renew"|"reject"|"report";
}
