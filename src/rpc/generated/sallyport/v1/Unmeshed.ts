// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


export interface Unmeshed {
  /**
   * Its address may be another's soon: it holds no longer than the lease.
   */
  'pod'?: (boolean);
}

export interface Unmeshed__Output {
  /**
   * Its address may be another's soon: it holds no longer than the lease.
   */
  'pod': (boolean);
}
