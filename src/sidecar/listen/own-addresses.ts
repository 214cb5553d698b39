import { networkInterfaces } from 'node:os';
import type { Clock } from '#runtime';
import { isLoopback } from './endpoint.ts';

/**
 * The addresses under which others reach this network namespace; loopback is none of them. What was read is believed for
 * a second: an address may come while the sidecar runs, and one that has moved to another host must not pass for ours,
 * or a call to it would leave in plaintext as one to ourselves.
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
    const now = this.#clock.monotonic();
    if (now - this.#readAt >= BELIEVED_MILLISECONDS) {
      this.#readAt = now;
      this.#addresses = new Set(this.#read().filter((address) => !isLoopback(address)));
    }
    return this.#addresses.has(host);
  }
}

/** Every address of this network namespace, loopback too. */
export function addressesHere(): string[] {
  return Object.values(networkInterfaces()).flatMap((rows) => (rows ?? []).map(({ address }) => address));
}

const BELIEVED_MILLISECONDS = 1_000;
