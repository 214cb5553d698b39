import { concat } from '#runtime';
import type { CryptoProvider, RunningHash } from './crypto/provider.ts';
import type { HashName } from './suites.ts';

/** RFC 8446 4.4.1: the hash over all handshake messages. Messages wait until the suite, and so the hash, is known. */
export class Transcript {
  readonly #crypto: CryptoProvider;
  #waiting: Uint8Array[] = [];
  #running: RunningHash | undefined;
  #hash: HashName | undefined;
  /** What stands for the first flight after a retry: message_hash and HelloRetryRequest. Binders hash it again. */
  #retry: Uint8Array[] = [];

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  add(message: Uint8Array): void {
    if (this.#running === undefined) this.#waiting.push(message.slice());
    else this.#running.update(message);
    if (this.#retry.length === 1) this.#retry.push(message.slice());
  }

  start(hash: HashName): void {
    this.#hash = hash;
    this.#running = this.#crypto.startHash(hash);
    for (const message of this.#waiting) this.#running.update(message);
    this.#waiting = [];
  }

  /** Transcript-Hash of all messages so far. */
  value(): Uint8Array {
    if (this.#running === undefined) throw new Error('the transcript has no hash yet');
    return this.#running.snapshot();
  }

  /**
   * RFC 8446 4.4.1: when the server answers with a HelloRetryRequest, ClientHello1 is replaced by a message of type
   * message_hash that holds its hash. Call before the HelloRetryRequest is added.
   */
  replaceByHash(): void {
    const messageHash = 254;
    const digest = this.value();
    const header = Uint8Array.of(messageHash, 0, 0, digest.length);
    const message = concat(header, digest);
    this.#running?.free();
    this.#running = this.#crypto.startHash(this.#hash!);
    this.#running.update(message);
    this.#retry = [message];
  }

  /** What the hash would be if `partial`, the start of a ClientHello, came next (RFC 8446 4.2.11.2). */
  hashWith(hash: HashName, partial: Uint8Array): Uint8Array {
    const running = this.#crypto.startHash(hash);
    for (const message of this.#retry) running.update(message);
    running.update(partial);
    const value = running.snapshot();
    running.free();
    return value;
  }

  /** No message of the handshake comes any more. */
  free(): void {
    this.#running?.free();
    this.#running = undefined;
    this.#waiting = [];
    this.#retry = [];
  }
}
