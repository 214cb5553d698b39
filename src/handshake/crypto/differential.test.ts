import * as fc from 'fast-check';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toHex } from '#runtime';
import { answerKeyShare, generateKeyShare } from '../key-exchange.ts';
import { type GroupName, GROUPS } from '../groups.ts';
import { type AeadName, type SuiteName, SUITES } from '../suites.ts';
import { exchange, makePair, received } from '../testing/pair.ts';
import { PROVIDERS } from '../testing/provider.ts';
import { credentialOf, FakeVerifier, identity } from '../testing/credentials.ts';
import { SCHEMES } from '../schemes.ts';
import { type KemKeyPair, type KemName, KEMS } from './kem.ts';

const { node, noble } = PROVIDERS;
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const bit = (limit: number) => fc.nat(8 * limit - 1);

/** The same bytes with one bit changed. */
function flipped(input: Uint8Array, at: number): Uint8Array {
  const output = Uint8Array.from(input);
  output[(at >> 3) % output.length]! ^= 1 << (at & 7);
  return output;
}

/** The runs are few where noble multiplies points; Wycheproof has the rest. */
const RUNS = { numRuns: 25 };

describe('both providers give the same', () => {
  test.each(['sha256', 'sha384'] as const)('%s and HMAC, in any pieces', (hash) => {
    fc.assert(
      fc.property(fc.array(bytes(0, 300), { maxLength: 5 }), bytes(0, 200), (pieces, key) => {
        const running = [node.startHash(hash), noble.startHash(hash)];
        const snapshots = running.map((each) =>
          pieces.map((piece) => {
            each.update(piece);
            return toHex(each.snapshot());
          }),
        );
        expect(snapshots[1]).toEqual(snapshots[0]);
        const whole = Buffer.concat(pieces);
        expect(toHex(noble.hash(hash, whole))).toBe(toHex(node.hash(hash, whole)));
        expect(toHex(noble.hmac(hash, key, whole))).toBe(toHex(node.hmac(hash, key, whole)));
      }),
    );
  });

  test.each(Object.values(SUITES).map(({ aead, keyLength }): [AeadName, number] => [aead, keyLength]))(
    '%s: records, and refusals of changed ones',
    (name, keyLength) => {
      fc.assert(
        fc.property(
          bytes(keyLength),
          bytes(12),
          bytes(0, 40),
          bytes(0, 500),
          bit(516),
          (key, nonce, additional, plaintext, at) => {
            const [ours, theirs] = [node, noble].map((each) => each.aead(name, Uint8Array.from(key)));
            const sealed = [ours!, theirs!].map((aead) => {
              const out = new Uint8Array(plaintext.length + 16);
              aead.seal(nonce, additional, plaintext, out, 0);
              return out;
            });
            expect(toHex(sealed[1]!)).toBe(toHex(sealed[0]!));
            const changed = flipped(sealed[0]!, at);
            for (const aead of [ours!, theirs!]) {
              expect(toHex(aead.open(nonce, additional, sealed[0]!)!)).toBe(toHex(plaintext));
              expect(aead.open(nonce, additional, changed)).toBeUndefined();
              expect(
                aead.open(nonce, flipped(Uint8Array.of(...additional, 0), at), sealed[0]!),
              ).toBeUndefined();
              expect(aead.open(nonce, additional, sealed[0]!.subarray(0, 15))).toBeUndefined();
            }
          },
        ),
      );
    },
  );

  test.each(Object.keys(KEMS) as KemName[])('%s: public keys, secrets, and refusals of any bytes', (name) => {
    const [ours, theirs] = [node.kems[name]!, noble.kems[name]!];
    const privateLength = { x25519: 32, secp256r1: 32, secp384r1: 48, mlkem768: 64 }[name];
    fc.assert(
      fc.property(bytes(privateLength), bytes(KEMS[name].publicKeyLength), bit(2000), (key, random, at) => {
        // A scalar of a curve is smaller than the order: its first byte is not the greatest.
        const privateKey = key.map(
          (byte, index) => (index === 0 ? byte & 0x7f : byte) | (index === 1 ? 1 : 0),
        );
        const [mine, other] = [ours.keyPair(privateKey), theirs.keyPair(privateKey)];
        expect(toHex(other.publicKey)).toBe(toHex(mine.publicKey));
        // What one sends, the other understands, as the first does itself.
        for (const sender of [ours, theirs]) {
          const sent = sender.encapsulate(mine.publicKey);
          if (!sent.ok) throw new Error(sent.error);
          const { ciphertext, secret } = sent.value;
          for (const pair of [mine, other]) {
            const got = pair.decapsulate(ciphertext);
            expect(got.ok && toHex(got.value.expose())).toBe(toHex(secret.expose()));
          }
          const changed = flipped(ciphertext, at);
          expect(outcome(other.decapsulate(changed))).toBe(outcome(mine.decapsulate(changed)));
        }
        const wrong = [random, flipped(mine.publicKey, at), random.subarray(1)];
        for (const publicKey of wrong) {
          const [a, b] = [ours.encapsulate(publicKey), theirs.encapsulate(publicKey)];
          expect(b.ok || b.error).toBe(a.ok || a.error);
        }
      }),
      RUNS,
    );
  });

  const KEYS = {
    ecdsa_secp256r1_sha256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ecdsa_secp384r1_sha384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ed25519: generateKeyPairSync('ed25519'),
  } as const;

  test.each(Object.keys(KEYS) as (keyof typeof KEYS)[])(
    '%s: verdicts, also on changed signatures',
    (scheme) => {
      const { publicKey, privateKey } = KEYS[scheme];
      const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
      const { hash } = SCHEMES[scheme];
      fc.assert(
        fc.property(bytes(0, 200), bit(110), bytes(0, 110), bit(91), (message, at, random, keyBit) => {
          const signature = sign(hash ?? null, message, privateKey);
          for (const provider of [node, noble]) {
            expect(provider.verify(scheme, spki, message, signature)).toBe(true);
            expect(provider.verify(scheme, spki, Buffer.concat([message, Buffer.of(0)]), signature)).toBe(
              false,
            );
          }
          const attempts = [
            flipped(signature, at),
            random,
            signature.subarray(1),
            Buffer.concat([signature, random]),
          ];
          for (const wrong of attempts) {
            const verdict = node.verify(scheme, spki, message, wrong);
            expect(noble.verify(scheme, spki, message, wrong)).toBe(verdict);
          }
          const otherKey = flipped(spki, keyBit);
          expect(noble.verify(scheme, otherKey, message, signature)).toBe(
            node.verify(scheme, otherKey, message, signature),
          );
        }),
        RUNS,
      );
    },
  );

  test.each([
    ['ecdsa_secp256r1_sha256', 26],
    ['ecdsa_secp384r1_sha384', 23],
  ] as const)('%s: a key in the hybrid form of a point is refused', (scheme, formAt) => {
    const { publicKey, privateKey } = KEYS[scheme];
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const message = Buffer.from('message');
    const signature = sign(SCHEMES[scheme].hash, message, privateKey);
    for (const provider of [node, noble]) {
      expect(provider.verify(scheme, spki, message, signature)).toBe(true);
      for (const form of [6, 7]) {
        const hybrid = spki.slice();
        expect(hybrid[formAt]).toBe(4);
        hybrid[formAt] = form;
        expect(provider.verify(scheme, hybrid, message, signature)).toBe(false);
      }
    }
  });
});

function outcome(result: ReturnType<KemKeyPair['decapsulate']>): string {
  return result.ok ? toHex(result.value.expose()) : result.error;
}

const GROUP_NAMES = Object.keys(GROUPS) as GroupName[];
const MIXED = [
  ['node', 'noble'],
  ['noble', 'node'],
  ['openssl', 'node'],
  ['node', 'openssl'],
] as const;

describe.each(MIXED)('a client on %s and a server on %s', (client, server) => {
  test.each(GROUP_NAMES)('agree on one secret by %s', (group) => {
    const share = generateKeyShare(PROVIDERS[client], group);
    const answer = answerKeyShare(PROVIDERS[server], group, share.share);
    if (!answer.ok) throw new Error(answer.error);
    const secret = share.finish(answer.value.share);
    expect(secret.ok && toHex(secret.value.expose())).toBe(toHex(answer.value.secret.expose()));
  });

  const cells = (Object.keys(SUITES) as SuiteName[]).flatMap((suite) =>
    GROUP_NAMES.flatMap((group) =>
      (['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ed25519'] as const).map(
        (scheme) => [suite, group, scheme] as const,
      ),
    ),
  );

  test.each(cells)('%s, %s, %s: connect, update keys and talk', (suite, group, scheme) => {
    const [us, them] = [identity('client', SCHEMES[scheme].key), identity('server', SCHEMES[scheme].key)];
    const common = { suites: [suite], groups: [group], schemes: [scheme] };
    const pair = makePair({
      client: {
        ...common,
        crypto: PROVIDERS[client],
        credential: credentialOf(us),
        verifier: new FakeVerifier([them]),
      },
      server: {
        ...common,
        crypto: PROVIDERS[server],
        credential: credentialOf(them),
        clientAuthentication: { mode: 'request', required: true, verifier: new FakeVerifier([us]) },
      },
    });
    exchange(pair.client, pair.server);
    expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
    expect(pair.clientKeys).toEqual(pair.serverKeys);
    pair.client.updateKeys(true);
    pair.client.write(Buffer.from('ping'));
    pair.server.write(Buffer.from('pong'));
    exchange(pair.client, pair.server);
    expect(Buffer.from(received(pair.server)).toString()).toBe('ping');
    expect(Buffer.from(received(pair.client)).toString()).toBe('pong');
  });
});
