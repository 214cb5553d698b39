import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { concat } from '#runtime';
import { type Curve, type CurveKey, curveKem, uncompressedPoint, X25519 } from '../diffie-hellman.ts';
import { type Kem, type KemName, KEMS } from '../kem.ts';
import { type MlKemKey, mlKem } from '../ml-kem.ts';
import { PRIVATE_KEY_HEADS, SPKI_HEADS } from '../der-heads.ts';

export const NODE_KEMS: Readonly<Record<KemName, Kem>> = {
  x25519: curveKem(
    curve('x25519', () => generateKeyPairSync('x25519').privateKey),
    X25519,
  ),
  secp256r1: curveKem(
    curve('secp256r1', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    uncompressedPoint(KEMS.secp256r1.publicKeyLength),
  ),
  secp384r1: curveKem(
    curve('secp384r1', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
    uncompressedPoint(KEMS.secp384r1.publicKeyLength),
  ),
  mlkem768: mlKem({
    generate: () => mlKemKey(generateKeyPairSync('ml-kem-768').privateKey),
    restore: (seed) => mlKemKey(importPrivate('mlkem768', seed)),
    encapsulate(publicKey) {
      const { sharedKey, ciphertext } = encapsulate(importPublic('mlkem768', publicKey));
      return { ciphertext: new Uint8Array(ciphertext), shared: new Uint8Array(sharedKey) };
    },
  }),
};

function curve(name: Exclude<KemName, 'mlkem768'>, generate: () => KeyObject): Curve {
  const key = (privateKey: KeyObject): CurveKey => ({
    publicKey: exportPublic(name, privateKey),
    // OpenSSL checks that a point is on its curve when it imports it, and X25519's result when it derives.
    agree: (peer) => diffieHellman({ privateKey, publicKey: importPublic(name, peer) }),
  });
  return {
    generate: () => key(generate()),
    restore: (privateKey) => key(importPrivate(name, privateKey)),
  };
}

function mlKemKey(privateKey: KeyObject): MlKemKey {
  return {
    publicKey: exportPublic('mlkem768', privateKey),
    decapsulate: (ciphertext) => new Uint8Array(decapsulate(privateKey, ciphertext)),
  };
}

function exportPublic(name: KemName, privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return new Uint8Array(spki.subarray(SPKI_HEADS[name].length));
}

function importPublic(name: KemName, publicKey: Uint8Array): KeyObject {
  const key = Buffer.from(concat(SPKI_HEADS[name], publicKey));
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

function importPrivate(name: KemName, privateKey: Uint8Array): KeyObject {
  const key = Buffer.from(concat(PRIVATE_KEY_HEADS[name], privateKey));
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
