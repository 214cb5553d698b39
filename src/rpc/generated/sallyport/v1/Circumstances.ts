// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


/**
 * What policies mean for this workload besides what they say.
 */
export interface Circumstances {
  /**
   * Of its pod, as they are now.
   */
  'labels'?: ({[key: string]: string});
  /**
   * Where no MeshTLS speaks: Strict, Permissive or Disabled.
   */
  'tlsMode'?: (string);
  /**
   * Where no Allow selects it: Deny or AllowAuthenticated.
   */
  'unselected'?: (string);
}

/**
 * What policies mean for this workload besides what they say.
 */
export interface Circumstances__Output {
  /**
   * Of its pod, as they are now.
   */
  'labels': ({[key: string]: string});
  /**
   * Where no MeshTLS speaks: Strict, Permissive or Disabled.
   */
  'tlsMode': (string);
  /**
   * Where no Allow selects it: Deny or AllowAuthenticated.
   */
  'unselected': (string);
}
