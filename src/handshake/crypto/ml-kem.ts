import { err, ok, type Result } from '#runtime';
import { type Encapsulation, type Kem, type KemFault, type KemKeyPair, KEMS } from './kem.ts';
import { Secret } from './secret.ts';

/** A library's ML-KEM-768. */
export interface MlKem768 {
  generate(): MlKemKey;
  /** From the seed d || z of 64 bytes (FIPS 203 7.1). */
  restore(seed: Uint8Array): MlKemKey;
  encapsulate(publicKey: Uint8Array): { readonly ciphertext: Uint8Array; readonly shared: Uint8Array };
}

export interface MlKemKey {
  readonly publicKey: Uint8Array;
  /** Never refuses a ciphertext of the right length: a wrong one gives a secret that nobody knows (FIPS 203 6.3). */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
}

export function mlKem(library: MlKem768): Kem {
  return {
    generate: () => keyPair(library.generate()),
    keyPair(seed) {
      if (seed.length !== SEED_LENGTH) throw new Error(`an ML-KEM seed of ${seed.length} bytes`);
      return keyPair(library.restore(seed));
    },
    encapsulate(publicKey): Result<Encapsulation, KemFault> {
      if (publicKey.length !== KEMS.mlkem768.publicKeyLength) return err('key-share-length');
      if (!isReduced(publicKey)) return err('invalid-encapsulation-key');
      const { ciphertext, shared } = library.encapsulate(publicKey);
      return ok({ ciphertext, secret: new Secret(shared) });
    },
  };
}

function keyPair(key: MlKemKey): KemKeyPair {
  return {
    publicKey: key.publicKey,
    decapsulate(ciphertext) {
      if (ciphertext.length !== KEMS.mlkem768.ciphertextLength) return err('key-share-length');
      return ok(new Secret(key.decapsulate(ciphertext)));
    },
  };
}

/**
 * FIPS 203 7.2, the modulus check of an encapsulation key: each of its 3 * 256 coefficients of 12 bits, two in three
 * bytes, is smaller than q; the last 32 bytes are a seed. (draft-ietf-tls-ecdhe-mlkem 4.2: the server "MUST perform"
 * it and answers with illegal_parameter.) The libraries check too, each in its own words.
 */
function isReduced(publicKey: Uint8Array): boolean {
  for (let at = 0; at < ENCODED_COEFFICIENTS; at += 3) {
    const [low, middle, high] = [publicKey[at]!, publicKey[at + 1]!, publicKey[at + 2]!];
    if ((low | ((middle & 0x0f) << 8)) >= Q || ((middle >> 4) | (high << 4)) >= Q) return false;
  }
  return true;
}

/** d || z (FIPS 203 7.1). */
const SEED_LENGTH = 64;
const Q = 3329;
const ENCODED_COEFFICIENTS = 3 * 384;
