import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { type CHash, randomBytes } from '@noble/hashes/utils.js';
import { type HashName, type SuiteName, SUITES } from '../../suites.ts';
import { nodeSigner } from '../node/signatures.ts';
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
  // Keys are node:crypto's own objects, which don't show what they hold.
  signer: nodeSigner,
};

const HASHES: Readonly<Record<HashName, CHash>> = { sha256, sha384 };

class NobleHash implements RunningHash {
  #hash: ReturnType<CHash['create']> | undefined;

  constructor(hash: HashName) {
    this.#hash = HASHES[hash].create();
  }

  update(bytes: Uint8Array): void {
    this.#held.update(bytes);
  }

  snapshot(): Uint8Array {
    // The type says that a clone is anything; it is what it was cloned from.
    const copy = this.#held.clone() as ReturnType<CHash['create']>;
    return copy.digest();
  }

  free(): void {
    this.#hash?.destroy();
    this.#hash = undefined;
  }

  get #held(): ReturnType<CHash['create']> {
    if (this.#hash === undefined) throw new Error('the hash was freed');
    return this.#hash;
  }
}
