/** Bounds of what a sidecar keeps of discovery, and how it asks. */
export const DISCOVERY_LIMITS = {
  /** Addresses and ports that are known at once; the one that was called longest ago goes. */
  addresses: 4_096,
  /** How long a call waits for an answer about an address of the cluster. */
  holdMilliseconds: 1_000,
  /** A third of a lease: two may be lost. */
  renewMilliseconds: 3_300,
  /** A stream on which no lease came for so long is given up. */
  silentMilliseconds: 10_000,
  /** In one request, which has at most 64 KiB. */
  keysPerRequest: 500,
  firstDelayMilliseconds: 100,
  longestDelayMilliseconds: 5_000,
  delayJitter: 0.5,
} as const;

export type DiscoveryLimits = { readonly [Name in keyof typeof DISCOVERY_LIMITS]: number };
