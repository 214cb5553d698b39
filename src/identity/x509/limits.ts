/** Bounds on what a peer can make the reader do. Generous for meshes, small for a machine. */
export const LIMITS = {
  /** A P-256 leaf has about 700 bytes, an RSA-8192 certificate about 3,000. */
  certificateBytes: 32_768,
  requestBytes: 32_768,
  /** Nesting of constructed values. A certificate's deepest legal place is about 10. */
  depth: 16,
  extensions: 32,
  /** Names in one subjectAltName, one side of nameConstraints, or one authorityCertIssuer. */
  generalNames: 128,
  relativeNames: 64,
  purposes: 32,
  /** RFC 5280 4.1.2.2: "Conforming CAs MUST NOT use serialNumber values longer than 20 octets." */
  serialBytes: 20,
  rsaBitsLeast: 2048,
  /** A larger key costs its verifier too much (CVE-2023-29409). */
  rsaBitsMost: 8192,
} as const;
