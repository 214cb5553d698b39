import type { Reason } from '#handshake';
import { Backoff, type BackoffConfig } from '#runtime';

/**
 * Whether an endpoint that failed is left alone for now. A failure ejects it; each further one for longer. After that
 * one call at a time may try it (probation), until one succeeded. Milliseconds of a monotonic clock.
 */
export class Ejection {
  readonly #backoff: Backoff;
  #failing: { readonly since: number; readonly until: number; readonly reason: Reason } | undefined;

  constructor(config: BackoffConfig, random: () => number) {
    this.#backoff = new Backoff(config, random);
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
    const milliseconds = this.#backoff.next();
    this.#failing = { since: now, until: now + milliseconds, reason };
    return milliseconds;
  }

  /** Returns whether it had been failing. */
  succeed(): boolean {
    const was = this.#failing !== undefined;
    this.#failing = undefined;
    this.#backoff.reset();
    return was;
  }
}
