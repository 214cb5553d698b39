export interface BackoffConfig {
  readonly firstMilliseconds: number;
  readonly longestMilliseconds: number;
  /** Share of each delay that is random, 0 to 1. */
  readonly jitter: number;
}

/** Exponential backoff: doubles from `first` to `longest`, each shortened by a random share up to `jitter`. */
export class Backoff {
  readonly #config: BackoffConfig;
  readonly #random: () => number;
  #attempt = 0;

  /** `random` returns a number in [0, 1). */
  constructor(config: BackoffConfig, random: () => number) {
    this.#config = config;
    this.#random = random;
  }

  next(): number {
    const { firstMilliseconds, longestMilliseconds, jitter } = this.#config;
    const full = Math.min(firstMilliseconds * 2 ** this.#attempt, longestMilliseconds);
    if (full < longestMilliseconds) this.#attempt += 1;
    return full * (1 - jitter * this.#random());
  }

  reset(): void {
    this.#attempt = 0;
  }
}
