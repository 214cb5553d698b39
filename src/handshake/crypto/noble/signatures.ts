import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { concat, equal, fromHex } from '#runtime';
import type { CertificateSchemeName } from '../../schemes.ts';
import { SPKI_HEADS } from '../der-heads.ts';

/** CryptoProvider.verify. */
export function verifySignature(
  scheme: CertificateSchemeName,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const row = VERIFIERS[scheme as NobleScheme];
  if (row === undefined || !equal(publicKey.subarray(0, row.head.length), row.head)) return false;
  try {
    return row.holds(plain(signature), plain(message), plain(publicKey.subarray(row.head.length)));
  } catch {
    // A key or signature that cannot even be parsed is one that does not hold.
    return false;
  }
}

type Holds = (signature: Uint8Array, message: Uint8Array, key: Uint8Array) => boolean;

/** TLS knows nothing of low S: both halves of the range are signatures. The message is hashed by the curve's own hash. */
const ECDSA = { format: 'der', lowS: false, prehash: true } as const;
const ED25519_HEAD = fromHex('302a 300506032b6570 032100');

/** Points in their uncompressed form only, as SubjectPublicKeyInfo has them (RFC 5480 2.2, RFC 5758 3.2). */
const VERIFIERS = {
  ecdsa_secp256r1_sha256: {
    head: concat(SPKI_HEADS.secp256r1, Uint8Array.of(4)),
    holds: (signature, message, key) => p256.verify(signature, message, concat(Uint8Array.of(4), key), ECDSA),
  },
  ecdsa_secp384r1_sha384: {
    head: concat(SPKI_HEADS.secp384r1, Uint8Array.of(4)),
    holds: (signature, message, key) => p384.verify(signature, message, concat(Uint8Array.of(4), key), ECDSA),
  },
  ed25519: {
    head: ED25519_HEAD,
    // RFC 8032 5.1.7, not the laxer rules of ZIP 215.
    holds: (signature, message, key) => ed25519.verify(signature, message, key, { zip215: false }),
  },
} as const satisfies { readonly [Name in CertificateSchemeName]?: { head: Uint8Array; holds: Holds } };

type NobleScheme = keyof typeof VERIFIERS;

export const NOBLE_SCHEMES = Object.keys(VERIFIERS) as NobleScheme[];

/** The same bytes, not as a Buffer, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}
