import { expect, test } from 'vitest';
import type { Kem } from '../kem.ts';
import { NODE_KEMS } from '../node/kems.ts';
import { testedKems } from './tested-kems.ts';

const { secp384r1 } = NODE_KEMS;

test.each<[string, Kem]>([
  ['gives other public keys', { ...secp384r1, keyPair: () => secp384r1.generate() }],
  ['makes keys of another curve', { ...secp384r1, generate: () => NODE_KEMS.secp256r1.generate() }],
  [
    'answers with another secret',
    {
      ...secp384r1,
      encapsulate(publicKey) {
        const [one, other] = [secp384r1.encapsulate(publicKey), secp384r1.encapsulate(publicKey)];
        if (!one.ok || !other.ok) throw new Error('unexpected');
        return { ok: true, value: { ciphertext: one.value.ciphertext, secret: other.value.secret } };
      },
    },
  ],
  [
    'throws',
    {
      ...secp384r1,
      generate: () => {
        throw new Error('no entropy');
      },
    },
  ],
])('a mechanism that %s is left to node:crypto, which is said once', (_, broken) => {
  const reports: string[] = [];
  const kems = testedKems({ ...NODE_KEMS, secp384r1: broken }, (difference) => reports.push(difference));
  // Nothing is tested before it is wanted.
  expect(reports).toEqual([]);
  for (let turn = 0; turn < 3; turn += 1) {
    const keyPair = kems.secp384r1.generate();
    const encapsulated = secp384r1.encapsulate(keyPair.publicKey);
    if (!encapsulated.ok) throw new Error(encapsulated.error);
    const secret = keyPair.decapsulate(encapsulated.value.ciphertext);
    expect(secret.ok && secret.value.equals(encapsulated.value.secret.expose())).toBe(true);
  }
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatch(/^secp384r1/);
});

test('what answers rightly is used', () => {
  const reports: string[] = [];
  let used = 0;
  const counted: Kem = {
    ...NODE_KEMS.mlkem768,
    generate: () => {
      used += 1;
      return NODE_KEMS.mlkem768.generate();
    },
  };
  const kems = testedKems({ ...NODE_KEMS, mlkem768: counted }, (difference) => reports.push(difference));
  const before = used;
  kems.mlkem768.generate();
  kems.mlkem768.generate();
  expect(used).toBeGreaterThanOrEqual(before + 2);
  expect(reports).toEqual([]);
});
