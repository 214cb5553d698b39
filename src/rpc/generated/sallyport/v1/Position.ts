// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

/**
 * How far a replica has followed each kind of object, as resourceVersions count.
 */
export interface Position {
  'pods'?: (number | string | Long);
  'services'?: (number | string | Long);
  'endpointslices'?: (number | string | Long);
  'nodes'?: (number | string | Long);
  'meshpolicies'?: (number | string | Long);
  'meshtlses'?: (number | string | Long);
}

/**
 * How far a replica has followed each kind of object, as resourceVersions count.
 */
export interface Position__Output {
  'pods': (number);
  'services': (number);
  'endpointslices': (number);
  'nodes': (number);
  'meshpolicies': (number);
  'meshtlses': (number);
}
