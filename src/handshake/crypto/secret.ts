import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * Key material that does not print, compares in constant time and can be wiped. JavaScript cannot promise that no
 * copy is left (SECURITY.md): wiping shortens the time a secret stays in memory, no more.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Takes ownership of `bytes`: the caller keeps no other reference. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The bytes themselves, for the crypto provider and the key log only. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  equals(other: Uint8Array): boolean {
    return other.length === this.#bytes.length && timingSafeEqual(this.#bytes, other);
  }

  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return `Secret(${this.length})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
