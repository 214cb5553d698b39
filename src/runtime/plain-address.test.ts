import { expect, test } from 'vitest';
import { plainAddress } from './plain-address.ts';

test('an IPv4 peer of a dual-stack socket is an IPv4 peer', () => {
  expect(plainAddress('::ffff:10.1.2.3')).toBe('10.1.2.3');
  expect(plainAddress('::FFFF:10.1.2.3')).toBe('10.1.2.3');
  expect(plainAddress('fd00::1')).toBe('fd00::1');
  expect(plainAddress(undefined)).toBe('');
});
