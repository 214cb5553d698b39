import { hash } from 'node:crypto';
import type { PresentedChain } from '#handshake';

/**
 * What was found out about chains under one trust bundle, so that a peer that comes again is not validated again from its
 * first byte: parsing, path building and signatures are facts of the bytes, the bundle, the role and the rules, none of
 * which can change under a key; the time can, and is looked at each time. Only what a handshake then proved the key of
 * goes in: nobody fills this with certificates of others. Whether an identity is the expected one, what a policy says and
 * the proof of possession are never answered from here.
 */
export class VerifiedChains<Verdict> {
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry<Verdict>>();
  readonly #counts: VerifiedChainCounts;

  constructor(counts: VerifiedChainCounts) {
    this.#counts = counts;
  }

  /** `time` in milliseconds since the Unix epoch. */
  find(key: string, time: number): Verdict | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || time < entry.from || time > entry.until) {
      this.#counts.misses += 1;
      // A clock that goes back and forth finds it again by a validation of its own.
      this.#entries.delete(key);
      return undefined;
    }
    this.#counts.hits += 1;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.verdict;
  }

  keep(key: string, entry: Entry<Verdict>): void {
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= MOST_KEPT && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, entry);
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** About 1 KiB each. */
export const MOST_KEPT = 4096;

export interface Entry<Verdict> {
  readonly verdict: Verdict;
  /** While each certificate of the path is valid, both included, milliseconds since the Unix epoch. */
  readonly from: number;
  readonly until: number;
}

/** Since the process began. */
export interface VerifiedChainCounts {
  hits: number;
  misses: number;
}

/** The role, and each certificate as it came, in its order: the same certificates in another order are another key. */
export function chainKey({ role, chain }: PresentedChain): string {
  const lengths = chain.map(({ length }) => length).join(' ');
  return `${role} ${lengths} ${hash('sha256', Buffer.concat(chain), 'base64')}`;
}
