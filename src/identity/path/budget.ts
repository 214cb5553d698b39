import { PATH_LIMITS } from './limits.ts';

export type Work = 'candidates' | 'paths' | 'signatureChecks' | 'nameComparisons';

/** What is left of the work that one verification may cost. Once something ran out, the search ends. */
export class Budget {
  readonly #left: Record<Work, number> = {
    candidates: PATH_LIMITS.candidates,
    paths: PATH_LIMITS.paths,
    signatureChecks: PATH_LIMITS.signatureChecks,
    nameComparisons: PATH_LIMITS.nameComparisons,
  };
  #exhausted: Work | undefined;

  /** The kind of work that there was too much of. */
  get exhausted(): Work | undefined {
    return this.#exhausted;
  }

  /** Whether `amount` more may be done; takes it if so. */
  spend(work: Work, amount = 1): boolean {
    if (this.#exhausted !== undefined) return false;
    if (this.#left[work] < amount) {
      this.#exhausted = work;
      return false;
    }
    this.#left[work] -= amount;
    return true;
  }
}
