import type { Clock } from '#runtime';

/** That a token serves a key. */
export interface TokenUse {
  /** Of the token: its jti. */
  readonly id: string;
  /** Milliseconds since the Unix epoch; nobody needs to remember it for longer. */
  readonly expiresAt: number;
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
  readonly key: string;
  /** How often Kubernetes had started the sidecar's container again. Grows, and only Kubernetes can make it. */
  readonly run: number;
}

/** What all replicas of a controller remember together. */
export interface TokenLedger {
  /**
   * Keeps the use, unless the token serves another already (`supersedes`). Resolves with the one that is kept now, which
   * no two callers see differently; rejects when that can't be said.
   */
  keep(use: TokenUse): Promise<TokenUse>;
}

/** Whether `use` may take the place of what a token served before: a sidecar that was started again has lost its key. */
export function supersedes(use: TokenUse, before: TokenUse): boolean {
  return use.key !== before.key && use.run > before.run;
}

/**
 * Which public key each token serves: one, for all replicas. What the ledger said is remembered, so that a lost answer
 * can be had again without asking, and a replay costs nothing.
 */
export class TokenKeys {
  readonly #ledger: TokenLedger;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #known = new Map<string, TokenUse>();

  constructor(ledger: TokenLedger, most: number, clock: Clock) {
    this.#ledger = ledger;
    this.#most = most;
    this.#clock = clock;
  }

  /** Whether `bind` has to ask the ledger. */
  asks({ id, run }: TokenUse): boolean {
    // Another run may have brought another key, to another replica.
    return this.#known.get(id)?.run !== run;
  }

  /** Whether the token serves this key, from now to its end. Rejects as the ledger does. */
  async bind(use: TokenUse): Promise<boolean> {
    const known = this.#known.get(use.id);
    if (known !== undefined && !this.asks(use)) return known.key === use.key;
    const kept = await this.#ledger.keep(use);
    this.#forgetExpired();
    this.#known.delete(use.id);
    this.#known.set(use.id, kept);
    return kept.key === use.key;
  }

  /** Tokens come in the order of their making, nearly: the first that is still good ends the search. */
  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [id, { expiresAt }] of this.#known) {
      if (expiresAt >= now && this.#known.size < this.#most) break;
      this.#known.delete(id);
    }
  }
}
