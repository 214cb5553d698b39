import {
  type ClientSessions,
  type ServerSessions,
  SessionCache,
  TicketKeyRing,
  TicketWorker,
} from '#handshake';
import type { SpiffeId } from '#identity';
import type { WorkloadCredential } from '#identity/workload';
import type { Scope } from '#runtime';
import type { CheckedConfig } from './config.ts';
import { type Endpoint, formatEndpoint } from './listen/endpoint.ts';

/** Whom a connection is to reach, as far as a session depends on it. */
export interface SessionDestination {
  /** Of the pod: its ticket keys are its own. */
  readonly address: Endpoint;
  readonly identities: readonly SpiffeId[];
}

/**
 * The sessions of one sidecar (docs/sessions.md): the keys of the tickets that it gives out, which live and die with it, and
 * the tickets that it was given. Each is bound to the trust bundle, the policies and both sides' certificates of the
 * handshake that proved the identities; when one of them changes, the next handshake is a full one.
 */
export class Sessions {
  readonly #config: CheckedConfig;
  readonly #ring: TicketKeyRing;
  readonly #worker: TicketWorker;
  readonly #cache: SessionCache;
  #ended = false;

  private constructor(config: CheckedConfig) {
    const { clock, crypto, limits } = config;
    this.#config = config;
    this.#ring = new TicketKeyRing({ crypto, clock });
    this.#worker = new TicketWorker({ crypto, clock, ring: this.#ring });
    this.#cache = new SessionCache({
      clock,
      capacity: limits.sessions,
      perKey: Math.min(limits.sessions, limits.sessionsPerDestination),
    });
  }

  /** Lives as long as the scope; undefined where `limits.sessions` is 0. */
  static open(scope: Scope, config: CheckedConfig): Sessions | undefined {
    if (config.limits.sessions === 0) return undefined;
    const sessions = new Sessions(config);
    // What was bound to the older value will not be asked for again: its secrets need not wait for their turn.
    scope.defer(config.bundle.subscribe(() => sessions.#cache.clear()));
    scope.defer(config.credentials.subscribe(() => sessions.#cache.clear()));
    scope.defer(() => sessions.#end());
    return sessions;
  }

  /** For an inbound handshake that begins now and shows `held`. Tickets leave by `ticketsAfter`, never by themselves. */
  server(held: WorkloadCredential): ServerSessions | undefined {
    if (this.#ended) return undefined;
    const { bundle, policies } = this.#config;
    return {
      worker: this.#worker,
      identity: held.spiffeId.toString(),
      // Epochs only grow, and the keys of the tickets are of this process: one that comes again is the same policy.
      binding: `${bundle.value.hash}.${policies.value.epoch}.${held.serial}`,
      automaticTickets: 0,
    };
  }

  /** For an outbound handshake that begins now and shows `held`. */
  client(held: WorkloadCredential, { address, identities }: SessionDestination): ClientSessions | undefined {
    if (this.#ended) return undefined;
    return {
      cache: this.#cache,
      identity: held.spiffeId.toString(),
      expected: identities.map(String),
      destination: formatEndpoint(address),
      binding: `${this.#config.bundle.value.hash}.${held.serial}`,
    };
  }

  #end(): void {
    this.#ended = true;
    this.#cache.clear();
    this.#ring.wipe();
  }
}

/**
 * How many tickets a caller gets who may pass. A session serves once, so one for the one that was used; after a full
 * handshake two, since callers open several connections at once.
 */
export function ticketsAfter(use: 'full' | 'resumed' | 'external' | undefined): number {
  return use === 'resumed' ? 1 : 2;
}
