/** Every bound of a sidecar. Times in milliseconds, sizes in bytes, the rest are counts. */
export interface SidecarLimits {
  /** To connect to a peer's sidecar or to our own application. */
  readonly connectTimeoutMilliseconds: number;
  /** From accepting (or connecting) to an established mesh connection, the first byte included. */
  readonly handshakeTimeoutMilliseconds: number;
  /** How often a call may try to reach a callee, each time another if there is one. */
  readonly tries: number;
  /** After this long no further try begins. */
  readonly establishTimeoutMilliseconds: number;
  /** Services, and endpoints of all of them, of which is remembered how they did. */
  readonly rememberedServices: number;
  readonly rememberedEndpoints: number;
  /** How long a Permissive port waits for a first byte before it takes the peer for a server-first plaintext one. */
  readonly detectTimeoutMilliseconds: number;
  /** Without a byte in either direction. */
  readonly idleTimeoutMilliseconds: number;
  /** TCP keepalive: silence before the first probe. */
  readonly keepAliveMilliseconds: number;
  /** After both directions ended: how long the sockets may take to close by themselves. */
  readonly lingerMilliseconds: number;
  /** After a drain began: how long inbound goes on accepting, for callers that have not heard of it yet. */
  readonly drainGraceMilliseconds: number;
  /** After a drain began: when inbound connections that still live are reset. */
  readonly drainDeadlineMilliseconds: number;
  /** Connections alive at once, each direction for itself. */
  readonly connections: number;
  /** Handshakes in progress at once, detection included, each direction for itself; inbound the longest gives way. */
  readonly handshakes: number;
  /** Sessions of mesh connections that are kept to go on with: altogether, and of one destination. 0: none at all. */
  readonly sessions: number;
  readonly sessionsPerDestination: number;
  /** What is read of a ClientHello to find out whose it is. Ours are under 8 KiB, most of it a session's ticket. */
  readonly clientHelloBytes: number;
  /** One admin request's head, its whole duration, and how many admin connections there may be. */
  readonly adminHeaderBytes: number;
  readonly adminRequestMilliseconds: number;
  readonly adminConnections: number;
  /** Connections to the status port; beyond it the one that has been there longest goes. */
  readonly statusConnections: number;
  /** Probes in progress at once; what is read of an application's answer to one: its head, and of its body. */
  readonly probes: number;
  readonly probeHeaderBytes: number;
  readonly probeBodyBytes: number;
  /** Handshake records that /handshakes shows, and connections that /dump lists. */
  readonly adminRows: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const KIB = 1_024;

export const DEFAULT_LIMITS: SidecarLimits = Object.freeze({
  connectTimeoutMilliseconds: SECOND,
  handshakeTimeoutMilliseconds: 5 * SECOND,
  tries: 3,
  establishTimeoutMilliseconds: 10 * SECOND,
  rememberedServices: 1_024,
  rememberedEndpoints: 4_096,
  detectTimeoutMilliseconds: 100,
  idleTimeoutMilliseconds: 60 * MINUTE,
  keepAliveMilliseconds: MINUTE,
  lingerMilliseconds: 5 * SECOND,
  drainGraceMilliseconds: SECOND,
  drainDeadlineMilliseconds: 25 * SECOND,
  connections: 4_096,
  handshakes: 512,
  sessions: 512,
  sessionsPerDestination: 8,
  clientHelloBytes: 16 * KIB,
  adminHeaderBytes: 8 * KIB,
  adminRequestMilliseconds: 5 * SECOND,
  adminConnections: 32,
  statusConnections: 256,
  probes: 64,
  probeHeaderBytes: 64 * KIB,
  // As much as the kubelet reads: Kubernetes, pkg/probe/http/http.go.
  probeBodyBytes: 10 * KIB,
  adminRows: 1_000,
});

/** The mistakes in `limits`: every one must be a whole number above zero (a grace may be zero, and so may the sessions). */
export function limitMistakes(limits: SidecarLimits): string[] {
  return Object.entries(limits).flatMap(([name, value]: [string, number]) => {
    const least = name === 'drainGraceMilliseconds' || name === 'sessions' ? 0 : 1;
    return Number.isSafeInteger(value) && value >= least
      ? []
      : [`limits.${name} is ${value}: give a whole number of at least ${least}`];
  });
}
