/** Bounds on what callers of the webhook can make it keep. The API server is meant to be the only one; others can reach it. */
export const WEBHOOK_LIMITS = {
  connections: 1_024,
  /** An API server has a handful. */
  connectionsPerAddress: 32,
  /** The API server takes no request above 3 MiB. */
  bodyBytes: 4 * 1024 * 1024,
  /** Of all bodies that are being read. */
  bodiesBytes: 32 * 1024 * 1024,
  handshakeMilliseconds: 10_000,
  /** From the handshake to the first request, and for each request until it was answered. */
  requestMilliseconds: 10_000,
  /** Between two requests. The API server ends an idle connection after 90 s itself; who ends first loses no request. */
  idleMilliseconds: 120_000,
  /** Reasons and unknown words that are told of one pod. */
  mistakes: 20,
} as const;
