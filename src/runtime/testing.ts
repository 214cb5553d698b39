import type { Clock } from './clock.ts';

export { freePort } from './free-port.ts';

interface Timer {
  due: number;
  task: () => void;
}

/** A clock that moves only when told to. `advance` runs due timers in order of time, including those they start. */
export class FakeClock implements Clock {
  #now: number;
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMilliseconds: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMilliseconds;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, task: () => void): () => void {
    const timer = { due: this.#now + Math.max(milliseconds, 0), task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time forward, letting promise continuations run between timers. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#move(timer.due);
      this.#timers.delete(timer);
      timer.task();
      await settle();
    }
    this.#move(end);
    await settle();
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }

  #move(to: number): void {
    this.#elapsed += Math.max(to - this.#now, 0);
    this.#now = Math.max(to, this.#now);
  }
}

/** Lets promise chains that wait for nothing outside finish. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
