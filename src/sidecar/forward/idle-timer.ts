import type { Clock } from '#runtime';

/** Calls `onIdle` once when `touch` was not called for `milliseconds`. One timer, however often it is touched. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #onIdle: () => void;
  #touchedAt: number;
  #cancel: () => void;

  constructor(clock: Clock, milliseconds: number, onIdle: () => void) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#onIdle = onIdle;
    this.#touchedAt = clock.monotonic();
    this.#cancel = clock.after(milliseconds, () => this.#check());
  }

  touch(): void {
    this.#touchedAt = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel();
  }

  #check(): void {
    const left = this.#touchedAt + this.#milliseconds - this.#clock.monotonic();
    if (left <= 0) this.#onIdle();
    else this.#cancel = this.#clock.after(left, () => this.#check());
  }
}
