import { supersedes, type TokenLedger, type TokenUse } from '../issuance/token-keys.ts';

/** What replicas of one process remember together. `down`: it can't be asked. */
export class MemoryLedger implements TokenLedger {
  down = false;
  asked = 0;
  readonly #uses = new Map<string, TokenUse>();

  keep(use: TokenUse): Promise<TokenUse> {
    this.asked += 1;
    if (this.down) return Promise.reject(new Error('the ledger is away'));
    const before = this.#uses.get(use.id);
    const kept = before === undefined || supersedes(use, before) ? use : before;
    this.#uses.set(use.id, kept);
    return Promise.resolve(kept);
  }
}
