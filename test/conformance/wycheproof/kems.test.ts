import { describe, expect, test } from 'vitest';
import type { Kem, KemName } from '#handshake/crypto';
import { toHex } from '#runtime';
import { PROVIDERS } from './providers.ts';
import { fromHexText as bytes, groups, isExpected } from './vectors.ts';

/** What the holder of a key gets from a peer's bytes; undefined: refused. */
function decapsulated(kem: Kem, privateKey: string, ciphertext: string): string | undefined {
  const secret = kem.keyPair(bytes(privateKey)).decapsulate(bytes(ciphertext));
  return secret.ok ? toHex(secret.value.expose()) : undefined;
}

const CURVES: readonly (readonly [KemName, string, number])[] = [
  ['x25519', 'x25519', 32],
  ['secp256r1', 'ecdh_secp256r1_ecpoint', 32],
  ['secp384r1', 'ecdh_secp384r1_ecpoint', 48],
];

/** Noble takes its time for a thousand points of P-384. */
const SLOW_MILLISECONDS = 120_000;

describe.each(PROVIDERS)('Wycheproof on $name', ({ kems }) => {
  test.for(CURVES)('%s', { timeout: SLOW_MILLISECONDS }, ([name, file, length], context) => {
    const kem = kems[name]!;
    for (const group of groups<unknown, 'public' | 'private' | 'shared'>(context, file)) {
      for (const one of group.tests) {
        // Scalars are written as integers of any length; the keys of standards have the field's.
        const scalar = one.private
          .replace(/^0+(?=(..)*$)/, '')
          .padStart(2 * length, '0')
          .slice(-2 * length);
        const shared = decapsulated(kem, name === 'x25519' ? one.private : scalar, one.public);
        expect
          .soft(shared, `case ${one.tcId}: ${one.comment}`)
          .toBe(isExpected(one) ? one.shared : undefined);
      }
    }
  });

  test('mlkem768, key generation', (context) => {
    for (const { tests } of groups<unknown, 'seed' | 'ek'>(context, 'mlkem_768_keygen_seed')) {
      for (const one of tests) {
        const { publicKey } = kems.mlkem768!.keyPair(bytes(one.seed));
        expect.soft(toHex(publicKey), `case ${one.tcId}`).toBe(one.ek);
      }
    }
  });

  test('mlkem768, decapsulation', (context) => {
    for (const { tests } of groups<unknown, 'seed' | 'ek' | 'c' | 'K'>(context, 'mlkem_768')) {
      for (const one of tests) {
        const title = `case ${one.tcId}: ${one.comment}`;
        if (one.seed.length !== 128) {
          expect.soft(() => kems.mlkem768!.keyPair(bytes(one.seed)), title).toThrow('seed');
          continue;
        }
        const shared = decapsulated(kems.mlkem768!, one.seed, one.c);
        expect.soft(shared, title).toBe(isExpected(one) ? one.K : undefined);
      }
    }
  });

  // The randomness of an encapsulation is the provider's own, so only what is refused can be compared.
  test('mlkem768, encapsulation keys (FIPS 203 7.2)', (context) => {
    for (const { tests } of groups<unknown, 'ek'>(context, 'mlkem_768_encaps')) {
      for (const one of tests) {
        const { ok } = kems.mlkem768!.encapsulate(bytes(one.ek));
        expect.soft(ok, `case ${one.tcId}: ${one.comment}`).toBe(isExpected(one));
      }
    }
  });
});
