import type { Result } from '#runtime';
import type { Secret } from './secret.ts';

/**
 * Key encapsulation mechanisms and the lengths of what passes on the wire, bytes. Diffie-Hellman is one too: the
 * "ciphertext" is the answering side's public key (RFC 9180 4.1 says the same of DHKEM).
 * X25519: RFC 7748 5. P-256, P-384: RFC 8446 4.2.8.2. ML-KEM-768: FIPS 203 8.
 */
export const KEMS = {
  x25519: { publicKeyLength: 32, ciphertextLength: 32 },
  secp256r1: { publicKeyLength: 65, ciphertextLength: 65 },
  secp384r1: { publicKeyLength: 97, ciphertextLength: 97 },
  mlkem768: { publicKeyLength: 1184, ciphertextLength: 1088 },
} as const;

export type KemName = keyof typeof KEMS;

/** Why a peer's public key or ciphertext was refused: codes of REASONS. */
export type KemFault =
  | 'key-share-length'
  | 'invalid-key-share'
  | 'all-zero-shared-secret'
  | 'invalid-encapsulation-key';

/** One mechanism as a provider offers it. */
export interface Kem {
  /** A fresh key pair, from the provider's own random source. */
  generate(): KemKeyPair;
  /** A key pair from its private key: a scalar as its standard encodes it, for ML-KEM the seed d || z (FIPS 203 7.1). */
  keyPair(privateKey: Uint8Array): KemKeyPair;
  /** A fresh secret, and the ciphertext from which the holder of `publicKey` gets it. */
  encapsulate(publicKey: Uint8Array): Result<Encapsulation, KemFault>;
}

/** Used once: whoever holds it drops it after `decapsulate`. */
export interface KemKeyPair {
  readonly publicKey: Uint8Array;
  decapsulate(ciphertext: Uint8Array): Result<Secret, KemFault>;
}

export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly secret: Secret;
}
