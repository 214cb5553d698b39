import { createPublicKey, generatePrimeSync, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '#runtime';
import { makeIssuer, makeKeys, makeLeaf, spkiOf } from '../../testing/index.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import { verifyWebChain } from '../verify-host.ts';
import { createWebRoots } from '../web-roots.ts';
import { parseWeakKeyList, weakKeyDigest } from './block-list.ts';
import { hasClosePrimes } from './close-primes.ts';
import { isRoca } from './roca.ts';

const NOW = Date.UTC(2026, 5, 1);

function randomPrime(bits: number): bigint {
  return generatePrimeSync(bits, { bigint: true });
}

function isProbablyPrime(value: bigint): boolean {
  return [2n, 3n, 5n, 7n, 11n].every((base) => power(base, value - 1n, value) === 1n);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, factor] = [1n, base % modulus];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

describe('ROCA', () => {
  /** Primes as the broken library made them: k * M + (65537^a mod M). */
  function rocaPrime(bits: bigint): bigint {
    const primes = Array.from({ length: 166 }, (_, index) => index + 2).filter(
      (value) => isSmallPrime(value) && value > 2,
    );
    const product = primes.reduce((sum, prime) => sum * BigInt(prime), 2n);
    for (let a = 1n; ; a += 1n) {
      const k = (1n << (bits - BigInt(product.toString(2).length))) + a;
      const candidate = k * product + power(65_537n, a * 7n + 3n, product);
      if (isProbablyPrime(candidate)) return candidate;
    }
  }
  const isSmallPrime = (value: number): boolean =>
    Array.from({ length: value - 2 }, (_, index) => index + 2).every((d) => value % d !== 0);

  it('is seen in keys made the way the library made them', () => {
    expect(isRoca(rocaPrime(512n) * rocaPrime(520n))).toBe(true);
  });

  it('is not seen in keys of OpenSSL', () => {
    for (let round = 0; round < 20; round += 1)
      expect(isRoca(randomPrime(512) * randomPrime(512))).toBe(false);
  });
});

describe('close primes', () => {
  it('are found when they are close', () => {
    const first = randomPrime(512);
    for (const distance of [2n, 1000n, 1n << 200n]) {
      let second = first + distance;
      while (!isProbablyPrime(second)) second += 1n;
      expect(hasClosePrimes(first * second)).toBe(true);
    }
  });

  it('agree with the square of any number, and not with random primes', () => {
    fc.assert(fc.property(fc.bigInt({ min: 3n, max: 1n << 300n }), (root) => hasClosePrimes(root * root)));
    for (let round = 0; round < 10; round += 1)
      expect(hasClosePrimes(randomPrime(512) * randomPrime(512))).toBe(false);
  });
});

describe('the list of weak keys', () => {
  const keys = makeKeys('rsa');
  const names = [{ dns: 'www.example.com' }];
  const root = makeIssuer({ commonName: 'root', now: NOW });
  const { chain } = makeLeaf({ now: NOW, names, keys, extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, root);
  const leaf = parseCertificate(chain[0]!);
  const modulus = leaf.ok ? leaf.value.publicKey.rsaModulus! : new Uint8Array();

  it('is in the format of openssl-blacklist', () => {
    // From Debian's description of the format: sha1 of what `openssl rsa -noout -modulus` prints, the last 20 digits.
    const jwk = createPublicKey({
      key: Buffer.from(spkiOf(keys.publicKey)),
      format: 'der',
      type: 'spki',
    }).export({ format: 'jwk' });
    expect(Buffer.from(modulus).toString('base64url')).toBe(jwk.n);
    expect(weakKeyDigest(fromHex('c0ffee'))).toMatch(/^[0-9a-f]{20}$/);
  });

  it('refuses a key on it, and no other', () => {
    const judge = (text: string): string => {
      const weakKeys = parseWeakKeyList(text);
      if (!weakKeys.ok) return weakKeys.error.join('; ');
      const input = { roots: createWebRoots([root.der]), time: NOW, weakKeys: weakKeys.value };
      const result = verifyWebChain({ role: 'server', chain }, input);
      return result.ok ? 'ok' : result.error.reason.code;
    };
    expect(judge(`# made for this test\n\n${weakKeyDigest(modulus)}\n`)).toBe('weak-public-key');
    expect(judge(`${'0'.repeat(20)}\n`)).toBe('ok');
    expect(judge('# nothing\n')).toBe('the list has no entries');
    expect(judge('abc\n# fine\nxyz')).toBe(
      'line 1 is not 20 hexadecimal digits; line 3 is not 20 hexadecimal digits',
    );
  });

  it('RSA keys of this machine pass', () => {
    const own = makeIssuer({
      commonName: 'rsa',
      now: NOW,
      keys: generateKeyPairSync('rsa', { modulusLength: 3072 }),
    });
    const signed = makeLeaf({ now: NOW, names, extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, own);
    expect(
      verifyWebChain({ role: 'server', chain: signed.chain }, { roots: createWebRoots([own.der]), time: NOW })
        .ok,
    ).toBe(true);
  });
});
