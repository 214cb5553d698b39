import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { AeadName } from '../../suites.ts';
import type { Aead } from '../provider.ts';

/** AEAD on node:crypto: a cipher object for each record, as Node has no way to use one again. */
export class NodeAead implements Aead {
  readonly tagLength = 16;
  readonly #name: AeadName;
  readonly #key: Uint8Array;
  #wiped = false;

  constructor(name: AeadName, key: Uint8Array) {
    this.#name = name;
    this.#key = key;
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    offset: number,
  ): void {
    this.#requireKey();
    // The union of cipher names has no single overload; GCM's serves both, as both take an authTagLength.
    const cipher = createCipheriv(this.#name as 'aes-128-gcm', this.#key, nonce, { authTagLength: 16 });
    cipher.setAAD(additionalData, { plaintextLength: plaintext.length });
    out.set(cipher.update(plaintext), offset);
    cipher.final();
    out.set(cipher.getAuthTag(), offset + plaintext.length);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#requireKey();
    if (sealed.length < this.tagLength) return undefined;
    const end = sealed.length - this.tagLength;
    const decipher = createDecipheriv(this.#name as 'aes-128-gcm', this.#key, nonce, { authTagLength: 16 });
    decipher.setAAD(additionalData, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      decipher.final();
      return plaintext;
    } catch {
      plaintext.fill(0);
      return undefined;
    }
  }

  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
  }

  /** A wiped key is all zeros: sealing under it would be sealing in the open. */
  #requireKey(): void {
    if (this.#wiped) throw new Error('the key was wiped');
  }
}
