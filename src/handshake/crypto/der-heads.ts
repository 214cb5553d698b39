import { equal, fromHex } from '#runtime';
import type { KeyType } from '../schemes.ts';
import { KEMS, type KemName } from './kem.ts';

/**
 * SubjectPublicKeyInfo up to the public key's own bytes: RFC 8410 4 (X25519), RFC 5480 2 (uncompressed points),
 * RFC 9935 4 (ML-KEM).
 */
export const SPKI_HEADS: Readonly<Record<KemName, Uint8Array>> = {
  x25519: fromHex('302a 300506032b656e 032100'),
  secp256r1: fromHex('3059 301306072a8648ce3d020106082a8648ce3d030107 034200'),
  secp384r1: fromHex('3076 301006072a8648ce3d020106052b81040022 036200'),
  mlkem768: fromHex('308204b2 300b0609608648016503040402 038204a100'),
};

/** PKCS #8 likewise, up to the scalar (RFC 8410 7, RFC 5915 3) or the seed (RFC 9935 6). */
export const PRIVATE_KEY_HEADS: Readonly<Record<KemName, Uint8Array>> = {
  x25519: fromHex('302e 020100 300506032b656e 0422 0420'),
  secp256r1: fromHex('3041 020100 301306072a8648ce3d020106082a8648ce3d030107 0427 3025 020101 0420'),
  secp384r1: fromHex('304e 020100 301006072a8648ce3d020106052b81040022 0437 3035 020101 0430'),
  mlkem768: fromHex('3054 020100 300b0609608648016503040402 0442 8040'),
};

/**
 * RFC 5480 2.2: the hybrid form of a point "MUST NOT be used", and the compressed one is for those who ask for it. OpenSSL
 * takes all three, so a key of an elliptic curve is held to the one way of writing it before it is read.
 */
export function isInUsualForm(type: KeyType, spki: Uint8Array): boolean {
  if (type !== 'ec-p256' && type !== 'ec-p384') return true;
  const curve = type === 'ec-p256' ? 'secp256r1' : 'secp384r1';
  const head = SPKI_HEADS[curve];
  return (
    spki.length === head.length + KEMS[curve].publicKeyLength &&
    equal(spki.subarray(0, head.length), head) &&
    spki[head.length] === UNCOMPRESSED
  );
}

/** SEC 1 2.3.3. */
const UNCOMPRESSED = 4;
