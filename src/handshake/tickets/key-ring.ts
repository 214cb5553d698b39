import { concat, type Clock, equal } from '#runtime';
import type { Aead, CryptoProvider } from '../crypto/provider.ts';
import { ConfigError } from '../parameters.ts';

/** RFC 5077 5.5 and RFC 8446 C.4 leave the period open; a stolen key opens no ticket older than two periods. */
const ROTATION_LIMITS = { least: 6 * 3_600_000, most: 24 * 3_600_000 } as const;
const DEFAULT_ROTATION_MILLISECONDS = 12 * 3_600_000;
/** Random nonces of 96 bits under one AES-GCM key: NIST SP 800-38D 8.3 allows 2^32; far fewer cost nothing. */
const MAX_TICKETS_PER_KEY = 2 ** 28;

const NAME_LENGTH = 16;
const NONCE_LENGTH = 12;
const KEY_LENGTH = 32;

export interface KeyRingOptions {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** How long a key seals: 6 to 24 hours. It opens as long again, so that the last ticket it sealed can live too. */
  readonly rotateEveryMilliseconds?: number;
}

/** A ticket, and how long the ring will still be able to open it. */
export interface SealedTicket {
  readonly ticket: Uint8Array;
  readonly openableMilliseconds: number;
}

interface TicketKey {
  readonly name: Uint8Array;
  readonly aead: Aead;
  /** Monotonic time. */
  readonly madeAt: number;
  sealed: number;
}

/**
 * The keys that seal the session tickets of one pod; its workers share one ring, and no other pod has it. Keys are made
 * here at random, live in memory only and are replaced by time: one seals for a period and opens for two. All times
 * are of the monotonic clock, so that nobody keeps an old key alive by turning back the wall clock.
 *
 * There is no key before the first one is drawn, and no default: a ring that cannot draw one throws
 * (CVE-2020-13777: GnuTLS sealed with a key of zeros until its first rotation).
 */
export class TicketKeyRing {
  readonly #crypto: CryptoProvider;
  readonly #clock: Clock;
  readonly #period: number;
  /** Newest first. */
  #keys: TicketKey[];

  constructor({ crypto, clock, rotateEveryMilliseconds = DEFAULT_ROTATION_MILLISECONDS }: KeyRingOptions) {
    const { least, most } = ROTATION_LIMITS;
    if (!(rotateEveryMilliseconds >= least && rotateEveryMilliseconds <= most)) {
      throw new ConfigError(`ticket keys: rotate every ${rotateEveryMilliseconds} ms: want 6 to 24 hours`);
    }
    this.#crypto = crypto;
    this.#clock = clock;
    this.#period = rotateEveryMilliseconds;
    this.#keys = [this.#draw()];
  }

  /** `name || nonce || AES-256-GCM(state)`: the name tells which key, and is authenticated with the rest. */
  seal(state: Uint8Array): SealedTicket {
    const key = this.#sealingKey();
    key.sealed += 1;
    const nonce = this.#crypto.randomBytes(NONCE_LENGTH);
    const sealed = new Uint8Array(state.length + key.aead.tagLength);
    key.aead.seal(nonce, key.name, state, sealed, 0);
    return {
      ticket: concat(key.name, nonce, sealed),
      openableMilliseconds: key.madeAt + 2 * this.#period - this.#clock.monotonic(),
    };
  }

  /** The state in a ticket of this ring; undefined for one of another ring, of a key that is gone, or changed. */
  open(ticket: Uint8Array): Uint8Array | undefined {
    this.#turn();
    const key = this.#keys.find(({ name }) => equal(name, ticket.subarray(0, NAME_LENGTH)));
    if (key === undefined) return undefined;
    const nonce = ticket.subarray(NAME_LENGTH, NAME_LENGTH + NONCE_LENGTH);
    if (nonce.length < NONCE_LENGTH) return undefined;
    // A copy: it is opened in place, and the binder is over the ClientHello that the ticket came in.
    return key.aead.open(nonce, key.name, ticket.slice(NAME_LENGTH + NONCE_LENGTH));
  }

  /** The owner is done: every ticket is worthless from now on. */
  wipe(): void {
    for (const { aead } of this.#keys) aead.wipe();
    this.#keys = [];
  }

  #sealingKey(): TicketKey {
    this.#turn();
    const [newest] = this.#keys;
    if (newest === undefined) throw new Error('the ticket keys were wiped');
    if (newest.sealed < MAX_TICKETS_PER_KEY) return newest;
    const next = this.#draw();
    this.#keys.unshift(next);
    return next;
  }

  /** Brings the ring up to the present: drops what is too old to open, and draws a key if the newest is too old to seal. */
  #turn(): void {
    const now = this.#clock.monotonic();
    const [newest] = this.#keys;
    if (newest === undefined) return;
    const kept = this.#keys.filter(({ madeAt }) => now < madeAt + 2 * this.#period);
    for (const key of this.#keys) if (!kept.includes(key)) key.aead.wipe();
    this.#keys = now < newest.madeAt + this.#period ? kept : [this.#draw(), ...kept];
  }

  #draw(): TicketKey {
    const name = this.#crypto.randomBytes(NAME_LENGTH);
    const key = this.#crypto.randomBytes(KEY_LENGTH);
    // A source that gives zeros gives no key. No honest one ever does (2^-256).
    if (key.length !== KEY_LENGTH || key.every((byte) => byte === 0)) {
      throw new Error('ticket keys: the random source gave no key');
    }
    const madeAt = this.#clock.monotonic();
    return { name, aead: this.#crypto.aead('aes-256-gcm', key), madeAt, sealed: 0 };
  }
}
