import { type Clock, type Scope, sleep } from '#runtime';

/**
 * How late this process's timers were at worst. On a machine that has no processor time for it, requests and handshakes
 * run into their limits without any fault of the mesh, and whoever looks for one has to be told.
 */
export class LoopDelay {
  readonly #clock: Clock;
  #worst = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get worstMilliseconds(): number {
    return this.#worst;
  }

  run(scope: Scope): void {
    scope.run(async (signal) => {
      for (;;) {
        const due = this.#clock.monotonic() + TICK_MILLISECONDS;
        await sleep(this.#clock, TICK_MILLISECONDS, signal);
        this.#worst = Math.max(this.#worst, this.#clock.monotonic() - due);
      }
    });
  }
}

const TICK_MILLISECONDS = 100;
