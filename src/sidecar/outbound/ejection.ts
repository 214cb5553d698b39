import type { Reason } from '#handshake';
import { Backoff, type BackoffConfig } from '#runtime';

/**
 * Whether an endpoint that failed is left alone for now. A failure ejects it; each further one for longer. After that
 * one call at a time may try it (probation), until one succeeded. Milliseconds of a monotonic clock.
 */
export class Ejection {
  readonly #backoff: Backoff;
  readonly #longestMilliseconds: number;
  #recoveredAt = Number.NEGATIVE_INFINITY;
  #failing: { readonly since: number; readonly until: number; readonly reason: Reason } | undefined;

  constructor(config: BackoffConfig, random: () => number) {
    this.#backoff = new Backoff(config, random);
    this.#longestMilliseconds = config.longestMilliseconds;
  }

  /** Why it last failed; undefined: it works, as far as is known. */
  get reason(): Reason | undefined {
    return this.#failing?.reason;
  }

  /** How long it is still left alone. */
  left(now: number): number {
    return Math.max((this.#failing?.until ?? now) - now, 0);
  }

  /** @param others calls that try it at this moment */
  isOut(now: number, others: number): boolean {
    return this.#failing !== undefined && (now < this.#failing.until || others > 0);
  }

  /**
   * A call that began at `began` failed. Returns for how long the endpoint is out from now; undefined: this failure says
   * nothing new, since the call began before the last ejection.
   */
  fail(began: number, now: number, reason: Reason): number | undefined {
    if (this.#failing !== undefined && began < this.#failing.since) return undefined;
    // One that has been in use for so long is not one that comes back to fail.
    if (this.#failing === undefined && now - this.#recoveredAt >= this.#longestMilliseconds) {
      this.#backoff.reset();
    }
    const milliseconds = this.#backoff.next();
    this.#failing = { since: now, until: now + milliseconds, reason };
    return milliseconds;
  }

  /**
   * A connection stands: it may be called again. Returns whether it had been failing. That it answers is not said by that, so
   * who accepts each call and then breaks it off is left alone for longer each time.
   */
  succeed(now: number): boolean {
    const was = this.#failing !== undefined;
    if (was) this.#recoveredAt = now;
    this.#failing = undefined;
    return was;
  }

  /** A connection was of use. */
  prove(): void {
    if (this.#failing === undefined) this.#backoff.reset();
  }
}
