import { expect, it } from 'vitest';
import { nearestWord } from './nearest-word.ts';

const FIELDS = ['peer', 'identities', 'serviceAccounts', 'namespaces', 'cidrs'];

it.each([
  ['serviceaccounts', 'serviceAccounts'],
  ['serviceAccount', 'serviceAccounts'],
  ['namepsaces', 'namespaces'],
  ['cidr', 'cidrs'],
  ['Peer', 'peer'],
  ['x', undefined],
  ['completely', undefined],
  ['p'.repeat(10_000), undefined],
])('%s: %s', (word, expected) => {
  expect(nearestWord(word, FIELDS)).toBe(expected);
});
