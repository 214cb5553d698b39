import { FakeClock } from '#runtime/testing';
import type { ClientConfig, ServerConfig } from '../config.ts';
import { TicketKeyRing } from '../tickets/key-ring.ts';
import type { ClientSessions, ServerSessions } from '../tickets/options.ts';
import { SessionCache } from '../tickets/session-cache.ts';
import { TicketWorker } from '../tickets/ticket-worker.ts';
import { testProvider } from './provider.ts';
import { establishedPair, exchange, makePair, type Pair, type PairOptions } from './pair.ts';

/** The freshness window of anti-replay, ms. */
export const WINDOW = 10_000;

/** A client with its cache and a server's worker with its ring, on one clock, that meet again and again. */
export class Acquaintances {
  readonly clock = new FakeClock();
  readonly cache: SessionCache = new SessionCache({ clock: this.clock });
  readonly ring: TicketKeyRing = new TicketKeyRing({ crypto: testProvider, clock: this.clock });
  worker: TicketWorker = this.startWorker();

  /** A worker of the same pod: the same ring, another memory. */
  startWorker(): TicketWorker {
    return new TicketWorker({
      crypto: testProvider,
      clock: this.clock,
      ring: this.ring,
      windowMilliseconds: WINDOW,
    });
  }

  clientSessions(changes: Partial<ClientSessions> = {}): ClientSessions {
    return {
      cache: this.cache,
      identity: 'test:client',
      expected: ['test:server'],
      destination: 'shop:8080',
      binding: 'bundle-1',
      ...changes,
    };
  }

  serverSessions(changes: Partial<ServerSessions> = {}): ServerSessions {
    return { worker: this.worker, identity: 'test:server', binding: 'bundle-1', ...changes };
  }

  options(client: Partial<ClientConfig> = {}, server: Partial<ServerConfig> = {}): PairOptions {
    return {
      client: { sessions: this.clientSessions(), ...client },
      server: { sessions: this.serverSessions(), ...server },
    };
  }

  /** A handshake to its end, tickets included. */
  meet(client: Partial<ClientConfig> = {}, server: Partial<ServerConfig> = {}): Pair {
    return establishedPair(this.options(client, server));
  }

  /** As `meet`, but each side may fail. */
  tryToMeet(client: Partial<ClientConfig> = {}, server: Partial<ServerConfig> = {}): Pair {
    const pair = makePair(this.options(client, server));
    exchange(pair.client, pair.server);
    return pair;
  }
}

/** Options of both sides for early data. */
export function withEarlyData(acquaintances: Acquaintances, maxBytes = 1000) {
  return {
    client: { earlyData: true },
    server: { sessions: acquaintances.serverSessions({ earlyData: { maxBytes } }) },
  };
}

/** What one side's observer was told of the session. */
export function sessionOf(events: Pair['clientEvents']) {
  const told = events.find((event) => event.type === 'session');
  if (told?.type !== 'session') throw new Error('no session event');
  const { use, declined, earlyDeclined } = told;
  return { kind: use.kind, earlyData: use.earlyData, declined, earlyDeclined };
}
