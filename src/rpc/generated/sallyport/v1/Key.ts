// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


export interface Key {
  /**
   * An IP address in canonical text (RFC 5952).
   */
  'address'?: (string);
  /**
   * 0: whoever is there, on whatever port.
   */
  'port'?: (number);
}

export interface Key__Output {
  /**
   * An IP address in canonical text (RFC 5952).
   */
  'address': (string);
  /**
   * 0: whoever is there, on whatever port.
   */
  'port': (number);
}
