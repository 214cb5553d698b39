// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


/**
 * What belongs to the cluster: an address in none of them is outside. Comes first, and whenever it changes.
 */
export interface Networks {
  'networks'?: (string)[];
}

/**
 * What belongs to the cluster: an address in none of them is outside. Comes first, and whenever it changes.
 */
export interface Networks__Output {
  'networks': (string)[];
}
