import { generateKeyPairSync, randomBytes as nodeRandomBytes } from 'node:crypto';
import fc from 'fast-check';
import koffi from 'koffi';
import { beforeAll, describe, expect, test } from 'vitest';
import { SUITES } from '../../suites.ts';
import { KEMS, type KemName } from '../kem.ts';
import { nodeProvider, nodeSigner } from '../index.ts';
import type { Aead, CryptoProvider } from '../provider.ts';
import { openOpensslProvider } from './index.ts';
import { differenceFrom } from './self-test.ts';

let openssl: CryptoProvider;
const reported: string[] = [];
beforeAll(async () => {
  openssl = await openOpensslProvider((difference) => reported.push(difference));
});

const some = fc.uint8Array({ maxLength: 600 });
const random = (length: number): Uint8Array => new Uint8Array(nodeRandomBytes(length));
/** Whether OpenSSL's queue holds an error that nobody took: it would end an unrelated connection of node:tls. */
const staleError = koffi.load(null).func('unsigned long ERR_peek_error()') as unknown as () => number;

describe('equals node:crypto', () => {
  test.each(['sha256', 'sha384'] as const)('%s, running, and as HMAC', (hash) => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        expect(openssl.hash(hash, a)).toEqual(new Uint8Array(nodeProvider.hash(hash, a)));
        expect(openssl.hmac(hash, a.subarray(0, 64), b)).toEqual(
          new Uint8Array(nodeProvider.hmac(hash, a.subarray(0, 64), b)),
        );
        const [ours, theirs] = [openssl.startHash(hash), nodeProvider.startHash(hash)];
        for (const part of [a, b]) {
          ours.update(part);
          theirs.update(part);
          expect(ours.snapshot()).toEqual(new Uint8Array(theirs.snapshot()));
        }
      }),
    );
  });

  test.each(Object.values(SUITES))('$aead', ({ aead, keyLength }) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 17_000 }),
        some,
        fc.nat({ max: 3 }),
        (plaintext, data, offset) => {
          const additionalData = data.subarray(0, 512);
          const [key, nonce] = [random(keyLength), random(12)];
          const seal = (maker: Aead): Uint8Array => {
            const out = new Uint8Array(offset + plaintext.length + 16);
            maker.seal(nonce, additionalData, plaintext, out, offset);
            return out.slice(offset);
          };
          const ours = openssl.aead(aead, key.slice());
          const sealed = seal(ours);
          expect(sealed).toEqual(seal(nodeProvider.aead(aead, key.slice())));
          expect(ours.open(nonce, additionalData, sealed.slice())).toEqual(plaintext);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each(Object.keys(KEMS) as KemName[])('%s with either side', (name) => {
    for (const [a, b] of [
      [openssl, nodeProvider],
      [nodeProvider, openssl],
      [openssl, openssl],
    ] as const) {
      const keyPair = a.kems[name]!.generate();
      const encapsulated = b.kems[name]!.encapsulate(keyPair.publicKey);
      if (!encapsulated.ok) throw new Error(encapsulated.error);
      const secret = keyPair.decapsulate(encapsulated.value.ciphertext);
      if (!secret.ok) throw new Error(secret.error);
      expect(secret.value.equals(encapsulated.value.secret.expose())).toBe(true);
    }
  });

  test.each([
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['RSASSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
  ])('signatures with %s', async (_, generate) => {
    const { publicKey, privateKey } = generate();
    const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    const [ours, theirs] = [openssl.signer(privateKey), nodeSigner(privateKey)];
    expect(ours.schemes).toEqual(theirs.schemes);
    const message = random(130);
    for (const scheme of ours.schemes) {
      expect(nodeProvider.verify(scheme, spki, message, await ours.sign(scheme, message))).toBe(true);
      const signature = new Uint8Array(await theirs.sign(scheme, message));
      // Twice: the first of RSA is judged by both.
      for (let turn = 0; turn < 2; turn += 1) {
        expect(openssl.verify(scheme, spki, message, signature)).toBe(true);
      }
      for (const wrong of [random(130), message.subarray(1)]) {
        expect(openssl.verify(scheme, spki, wrong, signature)).toBe(false);
      }
      for (const cut of [0, 1, signature.length - 1]) {
        expect(openssl.verify(scheme, spki, message, signature.subarray(0, cut))).toBe(false);
      }
    }
    const otherScheme = ours.schemes.includes('ed25519') ? 'ecdsa_secp256r1_sha256' : 'ed25519';
    expect(openssl.verify(otherScheme, spki, message, random(64))).toBe(false);
    expect(staleError()).toBe(0);
    expect(reported).toEqual([]);
  });
});

describe('refuses', () => {
  test('a tampered record: nothing of it is left, and the next one opens', () => {
    const { aead, keyLength } = SUITES.TLS_AES_128_GCM_SHA256;
    const key = openssl.aead(aead, random(keyLength));
    const [nonce, header] = [random(12), random(5)];
    const sealed = new Uint8Array(116);
    key.seal(nonce, header, random(100), sealed, 0);
    for (const at of [0, 99, 100, 115]) {
      const tampered = sealed.slice();
      tampered[at]! ^= 1;
      expect(key.open(nonce, header, tampered)).toBeUndefined();
      expect(tampered.every((byte) => byte === 0)).toBe(true);
      expect(key.open(nonce, random(5), sealed.slice())).toBeUndefined();
      expect(key.open(nonce, header, sealed.slice())).toHaveLength(100);
      expect(staleError()).toBe(0);
    }
    for (let length = 0; length < 16; length += 1) {
      expect(key.open(nonce, header, sealed.slice(0, length))).toBeUndefined();
    }
  });

  test('what does not fit, before anything native runs', () => {
    const { aead, keyLength } = SUITES.TLS_AES_128_GCM_SHA256;
    expect(() => openssl.aead(aead, random(keyLength - 1))).toThrow('a key of aes-128-gcm has 16 bytes');
    const key = openssl.aead(aead, random(keyLength));
    const out = new Uint8Array(40);
    expect(() => key.seal(random(11), random(5), random(24), out, 0)).toThrow('a nonce has 12 bytes');
    expect(() => key.seal(random(12), random(5), random(25), out, 0)).toThrow('does not fit');
    expect(() => key.seal(random(12), random(5), random(24), out, -1)).toThrow('does not fit');
    expect(() => key.seal(random(12), random(513), random(24), out, 0)).toThrow('do not fit into');
    // After that failure the key works on: its context was replaced.
    key.seal(random(12), random(5), random(24), out, 0);
  });

  test('a failed seal leaves no plaintext in the output', () => {
    const { aead, keyLength } = SUITES.TLS_AES_128_GCM_SHA256;
    const out = new Uint8Array(40);
    const secret = random(24);
    const key = openssl.aead(aead, random(keyLength));
    expect(() => key.seal(random(12), random(600), secret, out, 0)).toThrow('do not fit into');
    expect(out.every((byte) => byte === 0)).toBe(true);
  });

  test('a key that was wiped, in either direction', () => {
    const { aead, keyLength } = SUITES.TLS_CHACHA20_POLY1305_SHA256;
    const bytes = random(keyLength);
    const key = openssl.aead(aead, bytes);
    key.seal(random(12), random(5), random(4), new Uint8Array(20), 0);
    key.wipe();
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(() => key.seal(random(12), random(5), random(4), new Uint8Array(20), 0)).toThrow('wiped');
    expect(() => key.open(random(12), random(5), random(20))).toThrow('wiped');
  });

  test.each([
    ['x25519', new Uint8Array(32), 'all-zero-shared-secret'],
    ['secp256r1', new Uint8Array(65), 'invalid-key-share'],
    ['secp256r1', Uint8Array.of(4, ...random(64)), 'invalid-key-share'],
    ['secp384r1', Uint8Array.of(4, ...random(96)), 'invalid-key-share'],
    ['mlkem768', new Uint8Array(1184).fill(255), 'invalid-encapsulation-key'],
  ] as const)('a public key of %s that is none', (name, publicKey, fault) => {
    expect(openssl.kems[name]!.encapsulate(publicKey)).toEqual({ ok: false, error: fault });
    if (name !== 'mlkem768') {
      expect(openssl.kems[name]!.generate().decapsulate(publicKey)).toEqual({ ok: false, error: fault });
    }
    expect(staleError()).toBe(0);
  });

  test('a key pair is used once', () => {
    const keyPair = openssl.kems.x25519!.generate();
    const other = openssl.kems.x25519!.generate();
    expect(keyPair.decapsulate(other.publicKey).ok).toBe(true);
    expect(keyPair.decapsulate(other.publicKey).ok).toBe(false);
  });
});

test('keys take turns in one context without being mixed up', () => {
  const { aead, keyLength } = SUITES.TLS_AES_256_GCM_SHA384;
  const pairs = Array.from({ length: 4 }, () => {
    const bytes = random(keyLength);
    return [openssl.aead(aead, bytes.slice()), nodeProvider.aead(aead, bytes.slice())] as const;
  });
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { minLength: 2, maxLength: 20 }), some, (turns, plaintext) => {
      for (const [index, turn] of turns.entries()) {
        const [ours, theirs] = pairs[turn]!;
        const nonce = new Uint8Array(12).fill(index);
        const [a, b] = [new Uint8Array(plaintext.length + 16), new Uint8Array(plaintext.length + 16)];
        ours.seal(nonce, nonce, plaintext, a, 0);
        theirs.seal(nonce, nonce, plaintext, b, 0);
        expect(a).toEqual(b);
        expect(ours.open(nonce, nonce, a)).toEqual(plaintext);
      }
    }),
  );
});

describe('the self-test', () => {
  test('finds nothing between node:crypto and itself', () => {
    expect(differenceFrom(nodeProvider, nodeProvider)).toBeUndefined();
  });

  test.each([
    ['sha256', { hash: () => new Uint8Array(32) }],
    ['HMAC with sha256', { hmac: () => new Uint8Array(32) }],
    ['aes-128-gcm', { aead: () => ({ ...NULL_AEAD, open: () => new Uint8Array(300) }) }],
    ['x25519', { kems: { ...nodeProvider.kems, x25519: nodeProvider.kems.secp256r1! } }],
    ['ecdsa_secp256r1_sha256', { verify: () => true }],
    ['ecdsa_secp256r1_sha256', { verify: () => false }],
  ])('finds a wrong %s', (name, wrong) => {
    expect(differenceFrom(nodeProvider, { ...nodeProvider, ...wrong })).toMatch(name);
  });
});

const NULL_AEAD: Aead = {
  tagLength: 16,
  seal: () => undefined,
  open: () => undefined,
  wipe: () => undefined,
};
