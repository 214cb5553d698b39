import { err, ok, type Result } from '#runtime';
import { type Kem, type KemFault, type KemKeyPair, KEMS } from './kem.ts';
import { Secret } from './secret.ts';

/** A library's Diffie-Hellman over one curve. */
export interface Curve {
  generate(): CurveKey;
  /** `privateKey` is a scalar as its standard encodes it. */
  restore(privateKey: Uint8Array): CurveKey;
}

export interface CurveKey {
  readonly publicKey: Uint8Array;
  /** Throws if the peer's bytes are no point that the library takes, or give an all-zero result. */
  agree(peer: Uint8Array): Uint8Array;
}

/** What a public key may look like, and what it means when the library then refuses it. */
export interface CurveRules {
  /** Bytes. */
  readonly length: number;
  isWellFormed(publicKey: Uint8Array): boolean;
  readonly refusal: KemFault;
  /** On other curves than X25519 and X448 zeros are the X coordinate of a point like any other. */
  readonly refusesZeros: boolean;
}

/** RFC 7748 5: every string of 32 bytes is a public key of X25519; only what it leads to can be refused. */
export const X25519: CurveRules = {
  length: KEMS.x25519.publicKeyLength,
  isWellFormed: () => true,
  refusal: 'all-zero-shared-secret',
  refusesZeros: true,
};

/**
 * RFC 8446 4.2.8.2: TLS 1.3 has the uncompressed form only (libraries would also take X9.62's hybrid form, of the same
 * length), and the receiver checks that the point is on the curve: the library does when it reads it.
 */
export function uncompressedPoint(length: number): CurveRules {
  return {
    length,
    isWellFormed: (publicKey) => publicKey[0] === 4,
    refusal: 'invalid-key-share',
    refusesZeros: false,
  };
}

/** Whoever answers makes a key pair too and sends its public half (RFC 9180 4.1). */
export function curveKem(curve: Curve, rules: CurveRules): Kem {
  const keyPair = (key: CurveKey): KemKeyPair => ({
    get publicKey() {
      return key.publicKey;
    },
    decapsulate: (peer) => agree(key, peer, rules),
  });
  return {
    generate: () => keyPair(curve.generate()),
    keyPair: (privateKey) => keyPair(curve.restore(privateKey)),
    encapsulate(publicKey) {
      const own = curve.generate();
      const secret = agree(own, publicKey, rules);
      return secret.ok ? ok({ ciphertext: own.publicKey, secret: secret.value }) : secret;
    },
  };
}

function agree(key: CurveKey, peer: Uint8Array, rules: CurveRules): Result<Secret, KemFault> {
  if (peer.length !== rules.length) return err('key-share-length');
  if (!rules.isWellFormed(peer)) return err('invalid-key-share');
  let shared: Uint8Array;
  try {
    shared = key.agree(peer);
  } catch {
    return err(rules.refusal);
  }
  return rules.refusesZeros && isZero(shared) ? err('all-zero-shared-secret') : ok(new Secret(shared));
}

/**
 * RFC 8446 7.4.2: "implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero value
 * and abort if so". The libraries throw already; this does not rest on it.
 */
function isZero(secret: Uint8Array): boolean {
  let bits = 0;
  for (const byte of secret) bits |= byte;
  return bits === 0;
}
