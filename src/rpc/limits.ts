/** The ALPN protocol of gRPC (RFC 9113 3.1). */
export const HTTP2 = 'h2';

/** Bounds on what callers can make a server keep, and on how long a client waits. Each may be set by the program. */
export const RPC_LIMITS = {
  /** Open connections. A sidecar has one or two. */
  connections: 24_000,
  /** Open connections from one address: a pod has one sidecar, which opens a new one before it ends the old. */
  connectionsPerAddress: 16,
  /** Handshakes under way: each may hold the engine's buffers and costs a signature. */
  handshakes: 256,
  handshakeTimeoutMilliseconds: 10_000,
  /** A connection without a client certificate is for one first Issue; then it is ended. */
  anonymousMilliseconds: 30_000,
  /** Calls at once on one connection. */
  streams: 16,
  /** One message, either direction. A certificate request has 300 bytes, a token about 1,500. */
  messageBytes: 64 * 1024,
  /** What a server may send in one message: an answer about many endpoints. */
  responseBytes: 4 * 1024 * 1024,
  /** What Node keeps for one HTTP/2 session, megabytes; a peer that does not read stops at this. */
  sessionMegabytes: 16,
  /** A unary call that takes longer is ended, whatever deadline the caller set. */
  callMilliseconds: 30_000,
  /** A silent connection is asked whether it lives, and ended when it does not answer. */
  keepaliveMilliseconds: 20_000,
  keepaliveTimeoutMilliseconds: 10_000,
} as const;

export type RpcLimits = { readonly [Name in keyof typeof RPC_LIMITS]: number };
