/** What one peer can cost: certificates that look alike make the number of paths grow without bound. */
export const PATH_LIMITS = {
  /** Certificates between leaf and root. */
  intermediates: 8,
  /** Certificates looked at as a possible issuer of another. */
  candidates: 2048,
  /** Whole paths from leaf to root that are judged. */
  paths: 64,
  /** In verifications of P-256; others weigh what they cost (signature.ts). */
  signatureChecks: 160,
  /** Names held against a constraint. */
  nameComparisons: 65_536,
} as const;
