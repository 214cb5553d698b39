import { MAX_SKIPPED_EARLY_DATA } from '../limits.ts';
import { fail } from '../reasons.ts';

/**
 * RFC 8446 4.2.10: what a server does with early data.
 * - taking: it goes to the application, up to the ticket's limit.
 * - skipping-sealed: refused by a HelloRetryRequest; protected records are dropped until the second ClientHello.
 * - skipping-undecryptable: refused; records that don't open under the handshake keys are dropped until one does.
 */
type Mode = 'none' | 'taking' | 'skipping-sealed' | 'skipping-undecryptable';

/** The early data of one connection, as its server counts it. */
export class EarlyInput {
  #mode: Mode = 'none';
  #left = 0;

  get mode(): Mode {
    return this.#mode;
  }

  /** From now on `limit` bytes of early data are taken. */
  take(limit: number): void {
    this.#mode = 'taking';
    this.#left = limit;
  }

  /** From now on refused early data is dropped, up to a bound. */
  skip(mode: 'skipping-sealed' | 'skipping-undecryptable'): void {
    if (this.#mode === 'none') this.#left = MAX_SKIPPED_EARLY_DATA;
    this.#mode = mode;
  }

  /** No more early data may come. */
  end(): void {
    this.#mode = 'none';
  }

  /** RFC 8446 4.2.10: a server that gets more than it announced ends the connection with unexpected_message. */
  count(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) fail('too-much-early-data');
  }
}
