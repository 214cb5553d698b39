/** What one sidecar's stream may cost, and when it is given up. */
export const SERVE_LIMITS = {
  /** Addresses that one stream may ask for; a sidecar keeps fewer. */
  subscriptions: 8_192,
  /** Endpoints in all answers that one stream keeps asking for: each is about 450 bytes here. */
  endpoints: 100_000,
  /** In the answers to all streams together, each counted once. While there are more, a stream that asks for more may have few. */
  endpointsOverall: 400_000,
  endpointsThen: 2_000,
  /** Keys, and other requests, that one stream may send at once, and how many more each second. */
  requests: 20_000,
  requestsPerSecond: 200,
  leaseMilliseconds: 10_000,
  /** How long changes are gathered, so that a rollout is not told pod by pod. */
  gatherMilliseconds: 10,
  /** And so many times longer than telling the last ones took: most of the time is left for leases and issuance. */
  gatherShare: 3,
  /** All sidecars together are told new networks this fast: whoever may write a Service can change those. */
  networkBytesPerMillisecond: 20_000,
  /** A stream that does not read what it is sent. What waits for it is bounded by what it asked for. */
  blockedMilliseconds: 15_000,
  /** A stream that asks for no lease. Sidecars ask every few seconds. */
  silentMilliseconds: 30_000,
  /**
   * How long a sidecar that knows something newer is kept waiting. By then every watch here was heard of since, so this
   * replica is not behind: the numbers began anew, as they do when a cluster is restored from a backup.
   */
  behindMilliseconds: 60_000,
  sweepMilliseconds: 1_000,
} as const;

export type ServeLimits = { readonly [Name in keyof typeof SERVE_LIMITS]: number };
