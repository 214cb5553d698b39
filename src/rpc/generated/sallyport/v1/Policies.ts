// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { PolicyObject as _sallyport_v1_PolicyObject, PolicyObject__Output as _sallyport_v1_PolicyObject__Output } from '../../sallyport/v1/PolicyObject.ts';
import type { Circumstances as _sallyport_v1_Circumstances, Circumstances__Output as _sallyport_v1_Circumstances__Output } from '../../sallyport/v1/Circumstances.ts';

/**
 * What changed of the policies that concern one workload. Nothing is taken of it unless the whole is `version` then.
 */
export interface Policies {
  'version'?: (string);
  /**
   * The version that this begins from; empty: this is all there is.
   */
  'since'?: (string);
  'changed'?: (_sallyport_v1_PolicyObject)[];
  /**
   * Keys.
   */
  'removed'?: (string)[];
  'circumstances'?: (_sallyport_v1_Circumstances | null);
}

/**
 * What changed of the policies that concern one workload. Nothing is taken of it unless the whole is `version` then.
 */
export interface Policies__Output {
  'version': (string);
  /**
   * The version that this begins from; empty: this is all there is.
   */
  'since': (string);
  'changed': (_sallyport_v1_PolicyObject__Output)[];
  /**
   * Keys.
   */
  'removed': (string)[];
  'circumstances': (_sallyport_v1_Circumstances__Output | null);
}
