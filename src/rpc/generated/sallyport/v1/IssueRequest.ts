// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/issuance.proto


export interface IssueRequest {
  /**
   * PKCS #10, DER. Only the key and the proof that the caller holds it are used.
   */
  'certificateRequest'?: (Buffer | Uint8Array | string);
  /**
   * A projected ServiceAccount token for the controller's audience, bound to the calling pod.
   */
  'token'?: (string);
}

export interface IssueRequest__Output {
  /**
   * PKCS #10, DER. Only the key and the proof that the caller holds it are used.
   */
  'certificateRequest': (Buffer);
  /**
   * A projected ServiceAccount token for the controller's audience, bound to the calling pod.
   */
  'token': (string);
}
