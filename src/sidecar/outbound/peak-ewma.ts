/**
 * How long an endpoint takes, as its worst case remembers it: a longer time counts at once, shorter ones bring it down
 * slowly, and so does time without any. Milliseconds of a monotonic clock. (Finagle's "Peak EWMA".)
 */
export class PeakEwma {
  readonly #decayMilliseconds: number;
  #value = 0;
  #at = 0;

  /** @param decayMilliseconds after this long without a sample, e-th part of the value is left */
  constructor(decayMilliseconds: number) {
    this.#decayMilliseconds = decayMilliseconds;
  }

  /** At `now`, which never goes back. */
  value(now: number): number {
    return this.#value * this.#weight(now);
  }

  observe(sample: number, now: number): void {
    const weight = this.#weight(now);
    const before = this.#value;
    this.#value = sample > before * weight ? sample : before * weight + sample * (1 - weight);
    this.#at = now;
  }

  /** Forgets what was; for an endpoint that is not what it was. */
  restart(sample: number, now: number): void {
    this.#value = sample;
    this.#at = now;
  }

  #weight(now: number): number {
    return Math.exp(-Math.max(now - this.#at, 0) / this.#decayMilliseconds);
  }
}
