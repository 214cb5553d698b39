import { constants, verify } from 'node:crypto';
import type { KeyType } from '#handshake';
import type { PublicKey } from './public-key.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithmName } from './signature-algorithm.ts';

/** Whether `signature` over `message` holds under `key`. False too for an algorithm of another kind of key. */
export function signatureHolds(
  algorithm: SignatureAlgorithmName,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { key: kind, hash } = SIGNATURE_ALGORITHMS[algorithm];
  if (KINDS[key.type] !== kind) return false;
  // RFC 4055 1.2: an id-RSASSA-PSS key is for RSASSA-PSS only; OpenSSL holds it to the hash it may be bound to.
  if (key.type === 'rsa-pss' && !algorithm.startsWith('RSA-PSS')) return false;
  const padding = algorithm.startsWith('RSA-PSS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  try {
    return verify(hash ?? null, message, { key: key.key, ...padding }, signature);
  } catch {
    // A signature that OpenSSL cannot even parse is one that does not hold.
    return false;
  }
}

const KINDS: Readonly<Record<KeyType, string>> = {
  'ec-p256': 'ec',
  'ec-p384': 'ec',
  ed25519: 'ed25519',
  rsa: 'rsa',
  'rsa-pss': 'rsa',
};
