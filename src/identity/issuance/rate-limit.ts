import type { Clock } from '#runtime';
import type { Rate } from './limits.ts';

interface Bucket {
  left: number;
  at: number;
}

/**
 * A token bucket for each key. Remembers `most` keys: beyond that the one that has asked nothing for longest is
 * forgotten, so whoever makes up keys gains a burst for each and no more.
 */
export class RateLimit {
  readonly #rate: Rate;
  readonly #most: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, most: number, clock: Clock) {
    this.#rate = rate;
    this.#most = most;
    this.#clock = clock;
  }

  /** Whether one more is within the rate; takes it if so. */
  take(key: string): boolean {
    const { burst, perSecond } = this.#rate;
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { left: burst, at: now };
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    // A Map keeps the order in which keys were set: the first is the one that asked longest ago.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#most && oldest !== undefined) this.#buckets.delete(oldest);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}
