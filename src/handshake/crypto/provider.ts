import type { KeyObject } from 'node:crypto';
import type { Signer } from '../credentials/signer.ts';
import type { CertificateSchemeName } from '../schemes.ts';
import type { AeadName, HashName, SuiteName } from '../suites.ts';
import type { Kem, KemName } from './kem.ts';

/** A running hash, as the transcript needs it. Whoever started it frees it. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** The digest of what was given so far; the hash goes on. */
  snapshot(): Uint8Array;
  /** Gives back what it holds outside of JavaScript's memory; it throws if used again. Twice does no harm. */
  free(): void;
}

/** An AEAD key; nonces are given by the caller, 12 bytes each, never twice under one key. */
export interface Aead {
  readonly tagLength: 16;
  /** Ciphertext with its tag into `out` at `offset`: `plaintext.length` + 16 bytes. `plaintext` may overlap `out`. */
  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    offset: number,
  ): void;
  /**
   * The plaintext of `sealed` (ciphertext and tag), or undefined if it isn't authentic; then nothing was released. It may
   * be written over `sealed`, which is the callee's from now on.
   */
  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Forgets the key; `seal` and `open` throw from then on. */
  wipe(): void;
}

/** The cryptography an engine runs on. Every method checks what its library answered; none fails open. */
export interface CryptoProvider {
  readonly name: string;
  /** The suites it has all parts of. */
  readonly suites: readonly SuiteName[];
  /** The signature schemes that `verify` knows. */
  readonly schemes: readonly CertificateSchemeName[];
  /** Key encapsulation mechanisms; key-exchange.ts makes groups of them. */
  readonly kems: { readonly [Name in KemName]?: Kem };
  randomBytes(length: number): Uint8Array;
  startHash(hash: HashName): RunningHash;
  hash(hash: HashName, bytes: Uint8Array): Uint8Array;
  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array): Uint8Array;
  aead(aead: AeadName, key: Uint8Array): Aead;
  /**
   * Whether `signature` over `message` holds under the SubjectPublicKeyInfo. False too for any malformed input, for a
   * key of another kind than the scheme's, and for an RSA key out of RSA_BITS.
   */
  verify(
    scheme: CertificateSchemeName,
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean;
  /** A signer for a private key held by this process. Throws for a key that no scheme of TLS 1.3 can use. */
  signer(privateKey: KeyObject): Signer;
}
