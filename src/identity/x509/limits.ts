/** Bounds on what a peer can make the reader do. Generous for meshes, small for a machine. */
export const LIMITS = {
  /** A P-256 leaf has about 700 bytes, an RSA-8192 certificate about 3,000, one with 1,000 names about 30,000. */
  certificateBytes: 65_536,
  requestBytes: 32_768,
  /** A list of 100,000 certificates has about 4 MB. DER lengths are read up to three octets. */
  revocationListBytes: 16_777_215,
  revocationListEntries: 400_000,
  ocspBytes: 65_536,
  ocspResponses: 64,
  /** Nesting of constructed values. A certificate's deepest legal place is about 10. */
  depth: 16,
  extensions: 32,
  /** Names in one subjectAltName, one side of nameConstraints, or one authorityCertIssuer. */
  generalNames: 1024,
  /** Policies in one certificate, and mappings between them. */
  policies: 64,
  /** Places in one authorityInfoAccess or cRLDistributionPoints. */
  locations: 32,
  relativeNames: 64,
  purposes: 32,
  /** RFC 5280 4.1.2.2: "Conforming CAs MUST NOT use serialNumber values longer than 20 octets." */
  serialBytes: 20,
  rsaBitsLeast: 2048,
  /** A larger key costs its verifier too much (CVE-2023-29409). */
  rsaBitsMost: 8192,
} as const;
