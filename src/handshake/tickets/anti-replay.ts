import { type Clock, toHex } from '#runtime';

export interface AntiReplayOptions {
  readonly clock: Clock;
  /** How far the client's idea of a ticket's age may be off, each way. Default 10 s (RFC 8446 8.3). */
  readonly windowMilliseconds?: number;
  /** Most tickets remembered; a full store refuses early data. */
  readonly capacity?: number;
}

const DEFAULT_WINDOW_MILLISECONDS = 10_000;
/** About 5 MB of names. */
const DEFAULT_CAPACITY = 2 ** 15;

/** Why early data was not taken. */
export type EarlyDecline = 'just-started' | 'stale' | 'replayed' | 'store-full';

/**
 * What one worker remembers so that no early data is executed twice (RFC 8446 8.1 to 8.3): each ticket serves early
 * data once. Only tickets of this very worker may come here, so the store needs no partner, and it dies with the worker
 * as its tickets' early data does. A flight is fresh while the age that it claims fits the clock; a copy claims the same
 * age, so a name has to be kept no longer than a copy could be fresh.
 */
export class AntiReplay {
  readonly #clock: Clock;
  readonly #window: number;
  readonly #capacity: number;
  readonly #startedAt: number;
  /** Ticket name to the monotonic time at which it is forgotten; oldest first. */
  readonly #seen = new Map<string, number>();

  constructor({ clock, windowMilliseconds, capacity }: AntiReplayOptions) {
    this.#clock = clock;
    this.#window = windowMilliseconds ?? DEFAULT_WINDOW_MILLISECONDS;
    this.#capacity = capacity ?? DEFAULT_CAPACITY;
    this.#startedAt = clock.monotonic();
  }

  /**
   * Takes the ticket's one use, or says why not. `mintedAt` is of this clock's monotonic time, `ageMilliseconds` what
   * the client says has passed since.
   */
  use(id: Uint8Array, mintedAt: number, ageMilliseconds: number): EarlyDecline | undefined {
    const now = this.#clock.monotonic();
    // A worker that forgot everything a moment ago must not take what it may have taken before.
    if (now - this.#startedAt < this.#window) return 'just-started';
    if (Math.abs(now - (mintedAt + ageMilliseconds)) > this.#window) return 'stale';
    this.#forget(now);
    const name = toHex(id);
    if (this.#seen.has(name)) return 'replayed';
    if (this.#seen.size >= this.#capacity) return 'store-full';
    // Fresh until it is a window late; it may have come a window early.
    this.#seen.set(name, now + 2 * this.#window);
    return undefined;
  }

  #forget(now: number): void {
    for (const [name, until] of this.#seen) {
      if (now <= until) return;
      this.#seen.delete(name);
    }
  }
}
