/** Bounds on what callers of the webhook can make it keep. The API server is the only one that is meant to call. */
export const WEBHOOK_LIMITS = {
  connections: 256,
  /** etcd's own limit for an object is 1.5 MiB; a review may hold it twice, and JSON may say it longer. */
  bodyBytes: 8 * 1024 * 1024,
  handshakeMilliseconds: 10_000,
  requestMilliseconds: 10_000,
} as const;
