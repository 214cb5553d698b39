import { networkInterfaces } from 'node:os';
import type { Clock } from '#runtime';
import { isLoopback } from './endpoint.ts';

/**
 * The addresses under which others reach this network namespace; loopback is none of them. They are read again, at most
 * once a second, when one is asked for that was not there: a pod may get another address while it runs.
 */
export class OwnAddresses {
  readonly #clock: Clock;
  readonly #read: () => readonly string[];
  #addresses: ReadonlySet<string> = new Set();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, read: () => readonly string[] = addressesHere) {
    this.#clock = clock;
    this.#read = read;
  }

  /** `host` as sockets print it. */
  has(host: string): boolean {
    if (this.#addresses.has(host)) return true;
    const now = this.#clock.monotonic();
    if (now - this.#readAt < SHORTEST_PAUSE_MILLISECONDS) return false;
    this.#readAt = now;
    this.#addresses = new Set(this.#read().filter((address) => !isLoopback(address)));
    return this.#addresses.has(host);
  }
}

/** Every address of this network namespace, loopback too. */
export function addressesHere(): string[] {
  return Object.values(networkInterfaces()).flatMap((rows) => (rows ?? []).map(({ address }) => address));
}

const SHORTEST_PAUSE_MILLISECONDS = 1_000;
