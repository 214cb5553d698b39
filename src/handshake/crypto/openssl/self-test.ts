import { generateKeyPairSync, sign } from 'node:crypto';
import { concat, equal } from '#runtime';
import { SUITES } from '../../suites.ts';
import type { Kem, KemName } from '../kem.ts';
import type { CryptoProvider } from '../provider.ts';

/**
 * Compares a provider with one that is believed, on fixed inputs: hashes, HMAC, each AEAD, X25519, P-256 and its ECDSA.
 * Answers what differs, or undefined. The rest is compared before its first use (tested-kems.ts, tested-signatures.ts):
 * P-384 and RSA alone would take longer than all of this, at each start.
 */
export function differenceFrom(reference: CryptoProvider, provider: CryptoProvider): string | undefined {
  for (const [name, holds] of CHECKS) {
    try {
      if (!holds(reference, provider)) return name;
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return undefined;
}

type Check = readonly [string, (reference: CryptoProvider, provider: CryptoProvider) => boolean];

const CHECKS: readonly Check[] = [
  ...(['sha256', 'sha384'] as const).flatMap((hash): Check[] => [
    [hash, (reference, provider) => equal(reference.hash(hash, TEXT), provider.hash(hash, TEXT))],
    [
      `running ${hash}`,
      (reference, provider) => {
        const running = provider.startHash(hash);
        running.update(TEXT);
        const first = running.snapshot();
        running.update(TEXT);
        const second = running.snapshot();
        running.free();
        return (
          equal(first, reference.hash(hash, TEXT)) && equal(second, reference.hash(hash, concat(TEXT, TEXT)))
        );
      },
    ],
    [
      `HMAC with ${hash}`,
      (reference, provider) =>
        equal(reference.hmac(hash, bytes(48), TEXT), provider.hmac(hash, bytes(48), TEXT)),
    ],
  ]),
  ...Object.values(SUITES).map(({ aead, keyLength }): Check => {
    const nonce = bytes(12);
    const additionalData = bytes(5);
    const sealWith = (maker: CryptoProvider): Uint8Array => {
      const out = new Uint8Array(TEXT.length + 16);
      maker.aead(aead, bytes(keyLength)).seal(nonce, additionalData, TEXT, out, 0);
      return out;
    };
    return [
      aead,
      (reference, provider) => {
        const sealed = sealWith(provider);
        const key = provider.aead(aead, bytes(keyLength));
        const tampered = sealed.slice();
        tampered[0]! ^= 1;
        return (
          equal(sealed, sealWith(reference)) &&
          key.open(nonce, additionalData, tampered) === undefined &&
          equal(key.open(nonce, additionalData, sealed.slice()) ?? new Uint8Array(), TEXT)
        );
      },
    ];
  }),
  ...(['x25519', 'secp256r1'] as const).map(
    (name): Check => [
      name,
      (reference, provider) => {
        const [there, here] = [reference.kems[name], provider.kems[name]];
        return there !== undefined && here !== undefined && kemHolds(name, there, here);
      },
    ],
  ),
  [
    'ecdsa_secp256r1_sha256',
    (_, provider) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
      const signature = new Uint8Array(sign('sha256', TEXT, privateKey));
      return (
        provider.verify('ecdsa_secp256r1_sha256', spki, TEXT, signature) &&
        !provider.verify('ecdsa_secp256r1_sha256', spki, bytes(10), signature)
      );
    },
  ],
];

/** Whether a mechanism answers as one that is believed does, in both directions. Throws too if it does not. */
export function kemHolds(name: KemName, believed: Kem, kem: Kem): boolean {
  const privateKey = bytes(PRIVATE_KEY_LENGTHS[name]);
  return (
    equal(believed.keyPair(privateKey).publicKey, kem.keyPair(privateKey).publicKey) &&
    agrees(kem.keyPair(privateKey), believed) &&
    agrees(kem.generate(), believed) &&
    agrees(believed.keyPair(privateKey), kem)
  );
}

/** Bytes. */
const PRIVATE_KEY_LENGTHS: Readonly<Record<KemName, number>> = {
  x25519: 32,
  secp256r1: 32,
  secp384r1: 48,
  mlkem768: 64,
};

function agrees(keyPair: ReturnType<Kem['generate']>, other: Kem): boolean {
  const encapsulated = other.encapsulate(keyPair.publicKey);
  if (!encapsulated.ok) return false;
  const secret = keyPair.decapsulate(encapsulated.value.ciphertext);
  return secret.ok && secret.value.equals(encapsulated.value.secret.expose());
}

/** Longer than a block of each hash and cipher. */
const TEXT = bytes(300);

/** The same bytes each time; as a scalar, in the range of every curve. */
function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + 1) % 251);
}
