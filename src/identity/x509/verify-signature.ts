import { constants, verify } from 'node:crypto';
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
  const actual = key.type === 'ec-p256' || key.type === 'ec-p384' ? 'ec' : key.type;
  if (actual !== kind) return false;
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
