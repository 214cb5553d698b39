import type { Reason } from '#handshake';
import type { BackoffConfig } from '#runtime';
import { Ejection } from './ejection.ts';
import { PeakEwma } from './peak-ewma.ts';

/** How endpoints are judged. Times in milliseconds. */
export interface Balance {
  readonly decayMilliseconds: number;
  /** Shorter times count as this one: below it, differences are noise, and the number of connections decides. */
  readonly floorMilliseconds: number;
  /** What one that is ejected counts as, where it is in question at all. */
  readonly failureMilliseconds: number;
  readonly ejection: BackoffConfig;
  readonly panicShare: number;
}

export const BALANCE: Balance = Object.freeze({
  decayMilliseconds: 10_000,
  floorMilliseconds: 10,
  failureMilliseconds: 1_000,
  ejection: { firstMilliseconds: 1_000, longestMilliseconds: 30_000, jitter: 0.2 },
  panicShare: 0.3,
});

/** What is remembered of one endpoint, for all connections of the sidecar. */
export class EndpointState {
  readonly #balance: Balance;
  readonly #latency: PeakEwma;
  readonly #ejection: Ejection;
  /** Calls that try it, and connections that live. */
  outstanding = 0;
  trying = 0;

  constructor(balance: Balance, random: () => number) {
    this.#balance = balance;
    this.#latency = new PeakEwma(balance.decayMilliseconds);
    this.#ejection = new Ejection(balance.ejection, random);
  }

  /**
   * What one more call would cost: how long it takes there, times how many share it. One that failed and may be tried
   * again is as good as new, so that it is tried soon, by one call; one that is out comes after those that work.
   */
  cost(now: number): number {
    const { failureMilliseconds, floorMilliseconds } = this.#balance;
    const least = this.isOut(now) ? failureMilliseconds : floorMilliseconds;
    const latency = this.failing === undefined ? this.#latency.value(now) : 0;
    return Math.max(latency, least) * (this.outstanding + 1);
  }

  latency(now: number): number {
    return this.#latency.value(now);
  }

  isOut(now: number): boolean {
    return this.#ejection.isOut(now, this.trying);
  }

  get failing(): Reason | undefined {
    return this.#ejection.reason;
  }

  outFor(now: number): number {
    return this.#ejection.left(now);
  }

  /** A call that began at `began` has its connection. Returns whether the endpoint had been failing. */
  succeeded(began: number, now: number): boolean {
    const recovered = this.#ejection.succeed(now);
    if (recovered) this.#latency.restart(now - began, now);
    else this.#latency.observe(now - began, now);
    return recovered;
  }

  /** A connection ended that was of use. */
  proved(): void {
    this.#ejection.prove();
  }

  /** Returns for how long it is ejected from now; undefined: it was already. */
  failed(began: number, now: number, reason: Reason): number | undefined {
    return this.#ejection.fail(began, now, reason);
  }
}
