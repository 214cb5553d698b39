import { generateKeyPairSync, sign } from 'node:crypto';
import { concat, equal } from '#runtime';
import type { CertificateSchemeName } from '../../schemes.ts';
import { SUITES } from '../../suites.ts';
import type { KemName } from '../kem.ts';
import type { CryptoProvider } from '../provider.ts';

/**
 * Compares a provider with one that is believed, on fixed inputs: hashes, HMAC, each AEAD, each mechanism of key
 * exchange in both directions, ECDSA and Ed25519. Answers what differs, or undefined. RSA is compared at its first use
 * (tested-signatures.ts): a key of it takes too long to make.
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
        return (
          equal(first, reference.hash(hash, TEXT)) &&
          equal(running.snapshot(), reference.hash(hash, concat(TEXT, TEXT)))
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
  ...Object.entries({ x25519: 32, secp256r1: 32, secp384r1: 48, mlkem768: 64 } as const).map(
    ([name, length]): Check => [
      name,
      (reference, provider) => {
        const kem = name as KemName;
        const [there, here] = [reference.kems[kem], provider.kems[kem]];
        if (there === undefined || here === undefined) return here === there;
        const privateKey = bytes(length);
        return (
          equal(there.keyPair(privateKey).publicKey, here.keyPair(privateKey).publicKey) &&
          agrees(here.keyPair(privateKey), there) &&
          agrees(here.generate(), there) &&
          agrees(there.keyPair(privateKey), here)
        );
      },
    ],
  ),
  ...(
    [
      ['ecdsa_secp256r1_sha256', 'sha256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
      ['ecdsa_secp384r1_sha384', 'sha384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
      ['ed25519', null, () => generateKeyPairSync('ed25519')],
    ] as const satisfies readonly (readonly [CertificateSchemeName, string | null, unknown])[]
  ).map(
    ([scheme, hash, generate]): Check => [
      scheme,
      (_, provider) => {
        const { publicKey, privateKey } = generate();
        const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
        const signature = new Uint8Array(sign(hash, TEXT, privateKey));
        return (
          provider.verify(scheme, spki, TEXT, signature) &&
          !provider.verify(scheme, spki, bytes(10), signature)
        );
      },
    ],
  ),
];

type Kem = NonNullable<CryptoProvider['kems'][KemName]>;

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
