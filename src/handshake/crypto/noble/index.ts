import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { type CHash, randomBytes } from '@noble/hashes/utils.js';
import { type HashName, type SuiteName, SUITES } from '../../suites.ts';
import type { CryptoProvider, RunningHash } from '../provider.ts';
import { NobleAead } from './aead.ts';
import { NOBLE_KEMS } from './kems.ts';
import { NOBLE_SCHEMES, verifySignature } from './signatures.ts';

/**
 * The provider on @noble: cryptography in JavaScript alone. It is the second opinion that tests compare with, and a
 * last resort. NOT constant-time: no JavaScript engine promises that, and BigInt arithmetic and table look-ups (AES,
 * GHASH) take a time that depends on secrets. Nothing chooses it by itself. It has no RSA.
 */
export const nobleProvider: CryptoProvider = {
  name: 'noble',
  suites: Object.keys(SUITES) as SuiteName[],
  schemes: NOBLE_SCHEMES,
  kems: NOBLE_KEMS,
  randomBytes,
  startHash: (hash) => new NobleHash(hash),
  hash: (hash, bytes) => HASHES[hash](bytes),
  hmac: (hash, key, bytes) => hmac(HASHES[hash], key, bytes),
  aead: (aead, key) => new NobleAead(aead, key),
  verify: verifySignature,
};

const HASHES: Readonly<Record<HashName, CHash>> = { sha256, sha384 };

class NobleHash implements RunningHash {
  readonly #hash: ReturnType<CHash['create']>;

  constructor(hash: HashName) {
    this.#hash = HASHES[hash].create();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  snapshot(): Uint8Array {
    // The type says that a clone is anything; it is what it was cloned from.
    const copy = this.#hash.clone() as ReturnType<CHash['create']>;
    return copy.digest();
  }
}
