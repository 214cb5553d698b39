import { type Clock, equal } from '#runtime';
import type { CryptoProvider } from '../crypto/provider.ts';
import { MAX_TICKET } from '../limits.ts';
import { AntiReplay, type AntiReplayOptions, type EarlyDecline } from './anti-replay.ts';
import type { TicketKeyRing } from './key-ring.ts';
import {
  decodeSessionState,
  encodeSessionState,
  ID_LENGTH,
  type SessionState,
  WORKER_LENGTH,
} from './session-state.ts';

export interface TicketWorkerOptions extends Omit<AntiReplayOptions, 'clock'> {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly ring: TicketKeyRing;
}

/** What a worker adds to a session when it seals it. */
export type NewSessionState = Omit<SessionState, 'createdAt' | 'ageAdd' | 'worker' | 'id' | 'mintedAt'>;

export interface MintedTicket {
  readonly ticket: Uint8Array;
  readonly ageAdd: number;
  /** Whole seconds, at least 1. */
  readonly lifetimeSeconds: number;
}

/**
 * One server's side of sessions: an engine instance with its own name and its own memory of early data. Workers of a pod
 * share the ring, so each resumes what another began; early data only the worker takes that minted the ticket.
 */
export class TicketWorker {
  readonly clock: Clock;
  readonly #crypto: CryptoProvider;
  readonly #ring: TicketKeyRing;
  readonly #name: Uint8Array;
  readonly #antiReplay: AntiReplay;

  constructor({ crypto, clock, ring, ...antiReplay }: TicketWorkerOptions) {
    this.clock = clock;
    this.#crypto = crypto;
    this.#ring = ring;
    this.#name = crypto.randomBytes(WORKER_LENGTH);
    this.#antiReplay = new AntiReplay({ clock, ...antiReplay });
  }

  /** A ticket that lives no longer than its session and its key; undefined if that is nothing, or it would be too long. */
  mint(session: NewSessionState): MintedTicket | undefined {
    const now = this.clock.now();
    const ageAdd = this.#random32();
    const sealed = this.#ring.seal(
      encodeSessionState({
        ...session,
        createdAt: now,
        ageAdd,
        worker: this.#name,
        id: this.#crypto.randomBytes(ID_LENGTH),
        mintedAt: this.clock.monotonic(),
      }),
    );
    const lifetime = Math.min(session.expiresAt - now, sealed.openableMilliseconds);
    const lifetimeSeconds = Math.floor(lifetime / 1000);
    if (lifetimeSeconds < 1 || sealed.ticket.length > MAX_TICKET) return undefined;
    return { ticket: sealed.ticket, ageAdd, lifetimeSeconds };
  }

  open(ticket: Uint8Array): SessionState | undefined {
    if (ticket.length > MAX_TICKET) return undefined;
    const bytes = this.#ring.open(ticket);
    return bytes === undefined ? undefined : decodeSessionState(bytes);
  }

  /** Takes the one use of a ticket for early data, or says why there is none. */
  useForEarlyData(session: SessionState, obfuscatedAge: number): EarlyDecline | 'other-worker' | undefined {
    if (!equal(session.worker, this.#name)) return 'other-worker';
    // RFC 8446 4.2.11.1: the age is hidden by adding ticket_age_add modulo 2^32.
    const age = (obfuscatedAge - session.ageAdd) >>> 0;
    return this.#antiReplay.use(session.id, session.mintedAt, age);
  }

  #random32(): number {
    const [a, b, c, d] = this.#crypto.randomBytes(4);
    return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
  }
}
