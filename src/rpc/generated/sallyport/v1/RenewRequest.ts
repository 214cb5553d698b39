// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/issuance.proto


export interface RenewRequest {
  /**
   * As above, over a fresh key.
   */
  'certificateRequest'?: (Buffer | Uint8Array | string);
}

export interface RenewRequest__Output {
  /**
   * As above, over a fresh key.
   */
  'certificateRequest': (Buffer);
}
