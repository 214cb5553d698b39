import { x25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Curve, type CurveKey, curveKem, uncompressedPoint, X25519 } from '../diffie-hellman.ts';
import { type Kem, type KemName, KEMS } from '../kem.ts';
import { type MlKemKey, mlKem } from '../ml-kem.ts';

export const NOBLE_KEMS: Readonly<Record<KemName, Kem>> = {
  x25519: curveKem(montgomery(), X25519),
  secp256r1: curveKem(weierstrass(p256), uncompressedPoint(KEMS.secp256r1.publicKeyLength)),
  secp384r1: curveKem(weierstrass(p384), uncompressedPoint(KEMS.secp384r1.publicKeyLength)),
  mlkem768: mlKem({
    generate: () => mlKemKey(undefined),
    restore: (seed) => mlKemKey(seed),
    encapsulate(publicKey) {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(Uint8Array.from(publicKey));
      return { ciphertext: cipherText, shared: sharedSecret };
    },
  }),
};

function montgomery(): Curve {
  const key = (secret: Uint8Array): CurveKey => ({
    publicKey: x25519.getPublicKey(secret),
    agree: (peer) => x25519.getSharedSecret(secret, Uint8Array.from(peer)),
  });
  return { generate: () => key(x25519.utils.randomSecretKey()), restore: (secret) => key(secret) };
}

function weierstrass(curve: typeof p256): Curve {
  const key = (secret: Uint8Array): CurveKey => {
    let point: Uint8Array | undefined;
    return {
      get publicKey() {
        point ??= curve.getPublicKey(secret, false);
        return point;
      },
      // RFC 8446 7.4.2: the secret is the X coordinate, what the compressed form has behind its first byte.
      agree: (peer) => curve.getSharedSecret(secret, Uint8Array.from(peer), true).slice(1),
    };
  };
  return { generate: () => key(curve.utils.randomSecretKey()), restore: (secret) => key(secret) };
}

function mlKemKey(seed: Uint8Array | undefined): MlKemKey {
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  return {
    publicKey,
    decapsulate: (ciphertext) => ml_kem768.decapsulate(Uint8Array.from(ciphertext), secretKey),
  };
}
