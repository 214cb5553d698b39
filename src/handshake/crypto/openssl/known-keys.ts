import type { NativeKey } from './keys.ts';

/**
 * Public keys under which a signature held, in libcrypto's own form: reading one takes half as long as a verification, and
 * the same peers and authorities come again and again.
 */
export class KnownKeys {
  /** By SubjectPublicKeyInfo, byte for byte; least recently used first. */
  readonly #keys = new Map<string, NativeKey>();

  find(publicKey: Uint8Array): NativeKey | undefined {
    return this.#keys.get(textOf(publicKey));
  }

  /** Takes `key` over: it is freed when others need its place. */
  keep(publicKey: Uint8Array, key: NativeKey): void {
    const text = textOf(publicKey);
    const before = this.#keys.get(text);
    if (before !== undefined && before !== key) before.free();
    this.#keys.delete(text);
    this.#keys.set(text, key);
    if (this.#keys.size <= MOST_KNOWN) return;
    const [oldest] = this.#keys;
    if (oldest === undefined) return;
    this.#keys.delete(oldest[0]);
    oldest[1].free();
  }
}

/** A P-256 key takes about 1 KiB of native memory, one of RSA with 8,192 bits about 4. */
export const MOST_KNOWN = 1024;

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}
