// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


/**
 * It has a sidecar, which proves one of these identities.
 */
export interface Meshed {
  'identities'?: (string)[];
}

/**
 * It has a sidecar, which proves one of these identities.
 */
export interface Meshed__Output {
  'identities': (string)[];
}
