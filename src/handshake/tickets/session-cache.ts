import type { Clock } from '#runtime';
import type { Secret } from '../crypto/secret.ts';
import type { SuiteName } from '../suites.ts';

/** What a client has to remember of a session. Wall-clock times are milliseconds since the Unix epoch. */
export interface ClientSession {
  /** 0x0304: TLS 1.3. */
  readonly version: number;
  readonly ticket: Uint8Array;
  readonly secret: Secret;
  readonly suite: SuiteName;
  readonly ageAdd: number;
  readonly alpn: string | undefined;
  /** The server's certificates as they were shown: judged anew before the session is used. */
  readonly chain: readonly Uint8Array[];
  /** When the server proved itself with its certificate: never changed by resumption. */
  readonly authenticatedAt: number;
  readonly expiresAt: number;
  /** Monotonic time at which the ticket came, and at which it ends at the latest: the wall clock may be turned back. */
  readonly receivedAt: number;
  readonly endsAt: number;
  readonly earlyDataLimit: number;
}

export interface SessionCacheOptions {
  readonly clock: Clock;
  /** Most sessions altogether; the one kept longest without use goes first. */
  readonly capacity?: number;
  /** Most sessions for one key: as many connections as may be opened at once by resumption. */
  readonly perKey?: number;
}

const DEFAULT_CAPACITY = 1024;
const DEFAULT_PER_KEY = 4;

/**
 * A client's sessions. Each is given out once and then forgotten (RFC 8446 C.4: "Clients SHOULD NOT reuse a ticket for
 * multiple connections": it would let an observer link them). A key holds all that must be the same for a session to
 * be used, so what changed finds nothing.
 */
export class SessionCache {
  readonly clock: Clock;
  readonly #capacity: number;
  readonly #perKey: number;
  /** By key, least recently used first; in each the newest session last. */
  readonly #sessions = new Map<string, ClientSession[]>();
  #size = 0;

  constructor({ clock, capacity = DEFAULT_CAPACITY, perKey = DEFAULT_PER_KEY }: SessionCacheOptions) {
    this.clock = clock;
    this.#capacity = capacity;
    this.#perKey = perKey;
  }

  get size(): number {
    return this.#size;
  }

  put(key: string, session: ClientSession): void {
    const sessions = this.#touch(key);
    sessions.push(session);
    this.#size += 1;
    if (sessions.length > this.#perKey) this.#drop(sessions.shift()!);
    while (this.#size > this.#capacity) this.#evict();
  }

  /** The newest session under this key that has not ended; it is the taker's now, who wipes its secret. */
  take(key: string): ClientSession | undefined {
    const sessions = this.#sessions.get(key);
    for (let session = sessions?.pop(); session !== undefined; session = sessions?.pop()) {
      if (sessions!.length === 0) this.#sessions.delete(key);
      if (!this.#ended(session)) {
        this.#size -= 1;
        return session;
      }
      this.#drop(session);
    }
    return undefined;
  }

  /** Forgets everything. */
  clear(): void {
    for (const sessions of this.#sessions.values()) for (const session of sessions) this.#drop(session);
    this.#sessions.clear();
  }

  #ended(session: ClientSession): boolean {
    return this.clock.now() >= session.expiresAt || this.clock.monotonic() >= session.endsAt;
  }

  #touch(key: string): ClientSession[] {
    const sessions = this.#sessions.get(key) ?? [];
    this.#sessions.delete(key);
    this.#sessions.set(key, sessions);
    return sessions;
  }

  #evict(): void {
    const [key, sessions] = this.#sessions.entries().next().value!;
    this.#drop(sessions.shift()!);
    if (sessions.length === 0) this.#sessions.delete(key);
  }

  #drop(session: ClientSession): void {
    session.secret.wipe();
    this.#size -= 1;
  }
}
