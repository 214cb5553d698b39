import type { Clock } from '#runtime';

interface Use {
  readonly key: string;
  readonly run: string;
  readonly until: number;
}

/**
 * Which public key each token was used for. A token serves one key; a sidecar that was started again, which Kubernetes
 * says and the pod's other containers can't, has lost its key and may bring another. Lives in one process: after a
 * restart of the controller a token that was seen before counts as new.
 */
export class TokenKeys {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #uses = new Map<string, Use>();

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** Whether the token may be used for this key, from now to its end. `run` names the run of the sidecar's container. */
  bind(token: { readonly id: string; readonly expiresAt: number }, key: string, run: string): boolean {
    const use = this.#uses.get(token.id);
    if (use?.run === run) return use.key === key;
    this.#forgetExpired();
    this.#uses.delete(token.id);
    this.#uses.set(token.id, { key, run, until: token.expiresAt });
    return true;
  }

  /** Tokens come in the order of their making, nearly: the first that is still good ends the search. */
  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [id, { until }] of this.#uses) {
      if (until >= now && this.#uses.size < this.#most) break;
      this.#uses.delete(id);
    }
  }
}
