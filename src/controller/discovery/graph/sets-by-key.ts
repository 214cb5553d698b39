/** Sets that exist while they have something in them. */
export class SetsByKey<Key, Value> {
  readonly #sets = new Map<Key, Set<Value>>();

  add(key: Key, value: Value): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([value]));
    else set.add(value);
  }

  delete(key: Key, value: Value): void {
    const set = this.#sets.get(key);
    set?.delete(value);
    if (set?.size === 0) this.#sets.delete(key);
  }

  has(key: Key): boolean {
    return this.#sets.has(key);
  }

  of(key: Key): ReadonlySet<Value> {
    return this.#sets.get(key) ?? NOTHING;
  }

  keys(): IterableIterator<Key> {
    return this.#sets.keys();
  }
}

const NOTHING: ReadonlySet<never> = new Set<never>();
