/** The newest value of something that changes: no queue, no history. Readers take `.value` at the moment of use. */
export interface ReadableWatch<T> {
  readonly value: T;
  /** Grows by one with each `set`; starts at 0. */
  readonly version: number;
  /** Calls `listener` after each change (not for the current value). Returns the function that ends it. */
  subscribe(listener: (value: T, previous: T) => void): () => void;
}

export class Watch<T> implements ReadableWatch<T> {
  #value: T;
  #version = 0;
  readonly #listeners = new Set<(value: T, previous: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  get version(): number {
    return this.#version;
  }

  /** Publishes a value that its owner has validated. Each listener runs; the first error is thrown after all ran. */
  set(value: T): void {
    const previous = this.#value;
    this.#value = value;
    this.#version += 1;
    const errors: unknown[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        listener(value, previous);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  subscribe(listener: (value: T, previous: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
