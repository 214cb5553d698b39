/** A leaf as an authority hands it out. */
export interface IssuedCertificate {
  /** DER, leaf first, then the intermediates; never the root. */
  readonly chain: readonly Uint8Array[];
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}
