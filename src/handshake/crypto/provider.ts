import type { GroupName } from '../groups.ts';
import type { SchemeName } from '../schemes.ts';
import type { AeadName, HashName } from '../suites.ts';
import type { Secret } from './secret.ts';

/** A running hash, as the transcript needs it. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** The digest of what was given so far; the hash goes on. */
  snapshot(): Uint8Array;
}

/** One side of a key exchange. Its private key is used once and then gone. */
export interface KeyExchange {
  readonly group: GroupName;
  /** The key_exchange bytes to send (RFC 8446 4.2.8). */
  readonly share: Uint8Array;
  /** The shared secret, or undefined if the peer's bytes are no valid public key or give an all-zero result. */
  agree(peerShare: Uint8Array): Secret | undefined;
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
  /** The plaintext of `sealed` (ciphertext and tag), or undefined if it isn't authentic; then nothing was released. */
  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Forgets the key; `seal` and `open` throw from then on. */
  wipe(): void;
}

/** The cryptography an engine runs on. Every method checks what its library answered; none fails open. */
export interface CryptoProvider {
  readonly name: string;
  randomBytes(length: number): Uint8Array;
  startHash(hash: HashName): RunningHash;
  hash(hash: HashName, bytes: Uint8Array): Uint8Array;
  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array): Uint8Array;
  startKeyExchange(group: GroupName): KeyExchange;
  aead(aead: AeadName, key: Uint8Array): Aead;
  /** Whether `signature` over `message` holds under the SubjectPublicKeyInfo. False too for any malformed input. */
  verify(scheme: SchemeName, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
