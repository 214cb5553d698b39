import { expect, test } from 'vitest';
import { retryDelay } from './retry-delay.ts';

const MINUTE = 60_000;

test.each([
  ['a day', 24 * 60 * MINUTE, MINUTE],
  ['half an hour', 32 * MINUTE, MINUTE],
  ['two minutes', 2 * MINUTE, 3750],
  ['ten seconds', 10_000, 312.5],
  ['nothing', -1, 0],
])('with %s left', (_, left, delay) => {
  expect(retryDelay(left)).toBe(delay);
});
