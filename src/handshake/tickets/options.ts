import type { SessionCache } from './session-cache.ts';
import type { TicketWorker } from './ticket-worker.ts';

/** A server's sessions. Off unless configured. */
export interface ServerSessions {
  readonly worker: TicketWorker;
  /** Whom this server is (in the mesh its SPIFFE ID): a ticket serves no other. */
  readonly identity: string;
  /** What trust hangs on: content hashes of the trust bundle and of the TLS policy. Changed: no older ticket is taken. */
  readonly binding: string;
  /** How long the first proof of identity may be built upon. Default: SESSION_LIFETIME_MILLISECONDS. */
  readonly lifetimeMilliseconds?: number;
  /**
   * Tickets sent by themselves when the client's Finished has held. Default 2. 0: the owner sends them by
   * `issueTickets`, once it has also decided that this client may speak here.
   */
  readonly automaticTickets?: number;
  /** Off unless given: early data can be replayed to other workers, so only what may be executed again is safe in it. */
  readonly earlyData?: {
    /** Most bytes of early data on a connection. */
    readonly maxBytes: number;
  };
}

/** A client's sessions. Off unless configured. */
export interface ClientSessions {
  readonly cache: SessionCache;
  /** Whom we are: after a change of identity no older session is used. */
  readonly identity: string;
  /** Whom the server must be; in any order. */
  readonly expected: readonly string[];
  /** Where the connection goes, as the caller names it. */
  readonly destination: string;
  /** As in ServerSessions. */
  readonly binding: string;
}

/** RFC 8446 C.4 and 4.6.1: seven days at most; the mesh's leaves live for six hours, and no session lives longer. */
export const SESSION_LIFETIME_MILLISECONDS = 6 * 3_600_000;
