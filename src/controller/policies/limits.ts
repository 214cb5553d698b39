/** What owners of namespaces can make the controller and each of their sidecars keep. */
export const POLICY_LIMITS = {
  /** Objects of one namespace that are in force. */
  objects: 1_000,
  /** Their text, JSON. A sidecar is told at most twice that: its namespace's and the root namespace's. */
  bytes: 1024 * 1024,
} as const;

export type PolicyLimits = { readonly [Name in keyof typeof POLICY_LIMITS]: number };
