import {
  type ClientSessions,
  type ServerSessions,
  SessionCache,
  TicketKeyRing,
  TicketWorker,
} from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { type Clock, systemClock } from '#runtime';

/** Longer than the window in which a worker that has just started takes no early data. */
const OLD_ENOUGH_MILLISECONDS = 60_000;

/** A worker that has been running for a while, by its own clock. */
export function serverSessions(changes: Partial<ServerSessions> = {}): ServerSessions {
  let ahead = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead };
  const ring = new TicketKeyRing({ crypto: nodeProvider, clock });
  const worker = new TicketWorker({ crypto: nodeProvider, clock, ring });
  ahead = OLD_ENOUGH_MILLISECONDS;
  return { worker, identity: 'test-server', binding: 'test', ...changes };
}

export function clientSessions(): ClientSessions {
  return {
    cache: new SessionCache({ clock: systemClock }),
    identity: 'test-client',
    expected: [],
    destination: 'test',
    binding: 'test',
  };
}
