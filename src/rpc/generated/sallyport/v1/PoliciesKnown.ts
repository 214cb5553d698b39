// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


export interface PoliciesKnown {
  /**
   * Of the policies that it has; empty: none.
   */
  'version'?: (string);
}

export interface PoliciesKnown__Output {
  /**
   * Of the policies that it has; empty: none.
   */
  'version': (string);
}
