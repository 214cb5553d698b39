import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { CipherWithOutput } from '@noble/ciphers/utils.js';
import { EMPTY } from '#runtime';
import type { AeadName } from '../../suites.ts';
import type { Aead } from '../provider.ts';

/** AEAD on @noble/ciphers: an object for each record, which is how it keeps a nonce from being used twice. */
export class NobleAead implements Aead {
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
    out.set(this.#cipher(nonce, additionalData).encrypt(plain(plaintext)), offset);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const cipher = this.#cipher(nonce, additionalData);
    try {
      return cipher.decrypt(plain(sealed));
    } catch {
      return undefined;
    }
  }

  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
  }

  #cipher(nonce: Uint8Array, additionalData: Uint8Array): CipherWithOutput {
    if (this.#wiped) throw new Error('the key was wiped');
    const associated = additionalData.length === 0 ? EMPTY : plain(additionalData);
    const cipher = CIPHERS[this.#name];
    return cipher(plain(this.#key), plain(nonce), associated);
  }
}

const CIPHERS = { 'aes-128-gcm': gcm, 'aes-256-gcm': gcm, 'chacha20-poly1305': chacha20poly1305 } as const;

/** The same bytes, not as a Buffer: noble cuts its input by `slice` and `subarray` as Uint8Array has them. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
