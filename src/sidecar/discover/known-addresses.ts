import type { Answer } from './answer.ts';

/** An address and port that was called, and what is known of it. */
export interface Known {
  readonly key: Key;
  /** Undefined: not answered yet. */
  answer: Answer | undefined;
  /** Of the answer; empty: none. */
  version: string;
  /** Grows with each word about it, also with one that says that nothing changed. */
  words: number;
  /** Calls that wait for the next word. */
  readonly waiting: Set<() => void>;
}

export interface Key {
  /** Canonical. */
  readonly address: string;
  /** 0: whoever is there. */
  readonly port: number;
}

/** What was called lately, in that order. */
export class KnownAddresses {
  readonly #most: number;
  /** The one that was called longest ago is first. */
  readonly #known = new Map<string, Known>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#known.size;
  }

  all(): IterableIterator<Known> {
    return this.#known.values();
  }

  find(key: Key): Known | undefined {
    return this.#known.get(idOf(key));
  }

  /** Marks it as called now. */
  use(key: Key): Known | undefined {
    const id = idOf(key);
    const known = this.#known.get(id);
    if (known === undefined) return undefined;
    this.#known.delete(id);
    this.#known.set(id, known);
    return known;
  }

  /** One that is not known yet. `forgotten` made room for it; undefined: calls wait for every one that is known. */
  add(key: Key): { readonly known: Known; readonly forgotten: Known | undefined } | undefined {
    const forgotten = this.#known.size < this.#most ? undefined : this.#leastUsed();
    if (forgotten === undefined && this.#known.size >= this.#most) return undefined;
    if (forgotten !== undefined) this.#known.delete(idOf(forgotten.key));
    const known: Known = { key, answer: undefined, version: '', words: 0, waiting: new Set() };
    this.#known.set(idOf(key), known);
    return { known, forgotten };
  }

  #leastUsed(): Known | undefined {
    for (const known of this.#known.values()) if (known.waiting.size === 0) return known;
    return undefined;
  }
}

function idOf({ address, port }: Key): string {
  return `${address} ${port}`;
}
