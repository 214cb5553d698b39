// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Key as _sallyport_v1_Key, Key__Output as _sallyport_v1_Key__Output } from '../../sallyport/v1/Key.ts';
import type { Unknown as _sallyport_v1_Unknown, Unknown__Output as _sallyport_v1_Unknown__Output } from '../../sallyport/v1/Unknown.ts';
import type { Workload as _sallyport_v1_Workload, Workload__Output as _sallyport_v1_Workload__Output } from '../../sallyport/v1/Workload.ts';
import type { ServicePort as _sallyport_v1_ServicePort, ServicePort__Output as _sallyport_v1_ServicePort__Output } from '../../sallyport/v1/ServicePort.ts';
import type { Unchanged as _sallyport_v1_Unchanged, Unchanged__Output as _sallyport_v1_Unchanged__Output } from '../../sallyport/v1/Unchanged.ts';

export interface Answer {
  'key'?: (_sallyport_v1_Key | null);
  /**
   * The same for the same answer, whichever replica gives it.
   */
  'version'?: (string);
  /**
   * Nobody that is known, or more than one who might be.
   */
  'unknown'?: (_sallyport_v1_Unknown | null);
  /**
   * One workload, on whatever port.
   */
  'workload'?: (_sallyport_v1_Workload | null);
  /**
   * A port of a Service.
   */
  'service'?: (_sallyport_v1_ServicePort | null);
  /**
   * As the version that the sidecar named when it asked.
   */
  'unchanged'?: (_sallyport_v1_Unchanged | null);
  'answer'?: "unknown"|"workload"|"service"|"unchanged";
}

export interface Answer__Output {
  'key': (_sallyport_v1_Key__Output | null);
  /**
   * The same for the same answer, whichever replica gives it.
   */
  'version': (string);
  /**
   * Nobody that is known, or more than one who might be.
   */
  'unknown'?: (_sallyport_v1_Unknown__Output | null);
  /**
   * One workload, on whatever port.
   */
  'workload'?: (_sallyport_v1_Workload__Output | null);
  /**
   * A port of a Service.
   */
  'service'?: (_sallyport_v1_ServicePort__Output | null);
  /**
   * As the version that the sidecar named when it asked.
   */
  'unchanged'?: (_sallyport_v1_Unchanged__Output | null);
  'answer'?: "unknown"|"workload"|"service"|"unchanged";
}
