// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Endpoint as _sallyport_v1_Endpoint, Endpoint__Output as _sallyport_v1_Endpoint__Output } from '../../sallyport/v1/Endpoint.ts';
import type { Long } from '@grpc/proto-loader';

export interface ServicePort {
  'name'?: (string);
  'endpoints'?: (_sallyport_v1_Endpoint)[];
  /**
   * sessionAffinity ClientIP; 0: none.
   */
  'affinityMilliseconds'?: (number | string | Long);
  /**
   * internalTrafficPolicy Local.
   */
  'local'?: (boolean);
  /**
   * PreferSameZone, PreferSameNode or empty.
   */
  'trafficDistribution'?: (string);
}

export interface ServicePort__Output {
  'name': (string);
  'endpoints': (_sallyport_v1_Endpoint__Output)[];
  /**
   * sessionAffinity ClientIP; 0: none.
   */
  'affinityMilliseconds': (number);
  /**
   * internalTrafficPolicy Local.
   */
  'local': (boolean);
  /**
   * PreferSameZone, PreferSameNode or empty.
   */
  'trafficDistribution': (string);
}
