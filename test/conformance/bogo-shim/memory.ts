import { type Clock, systemClock } from '#runtime';
import { SessionCache, TicketKeyRing, TicketWorker } from '#handshake';
import { nodeProvider } from '#handshake/crypto';

/** BoringSSL takes early data whose age is off by up to a minute; the runner's cases are made for that. */
const WINDOW_MILLISECONDS = 60_000;

/** What is kept from one connection of a case to the next. */
export interface Memory {
  readonly cache: KeptSessions;
  readonly worker: TicketWorker;
  readonly clock: CaseClock;
  /** What the case needs and the engine does not do: its end then says nothing else. */
  unimplemented: string | undefined;
}

export function newMemory(unimplemented: string | undefined): Memory {
  const clock = new CaseClock();
  const ring = new TicketKeyRing({ crypto: nodeProvider, clock });
  const worker = new TicketWorker({
    crypto: nodeProvider,
    clock,
    ring,
    windowMilliseconds: WINDOW_MILLISECONDS,
  });
  // A worker takes early data once it has run for a window: this one has.
  clock.skip(WINDOW_MILLISECONDS);
  return { cache: new KeptSessions({ clock }), worker, clock, unimplemented };
}

/** Time stands still while a connection lives, as in BoringSSL's shim, and passes where a case wants it to. */
export class CaseClock implements Clock {
  readonly #start = systemClock.now();
  #passed = 0;

  now(): number {
    return this.#start + this.#passed;
  }

  monotonic(): number {
    return this.#passed;
  }

  after(milliseconds: number, task: () => void): () => void {
    return systemClock.after(milliseconds, task);
  }

  skip(milliseconds: number): void {
    this.#passed += milliseconds;
  }
}

type ClientSession = Parameters<SessionCache['put']>[1];

/** A session cache that shows what was put into it last. */
export class KeptSessions extends SessionCache {
  newest: ClientSession | undefined;

  override put(key: string, session: ClientSession): void {
    this.newest = session;
    super.put(key, session);
  }
}
