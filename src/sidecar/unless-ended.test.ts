import { expect, test } from 'vitest';
import { unlessEnded } from './unless-ended.ts';

test('gives what the work gives', async () => {
  const { signal } = new AbortController();
  expect(await unlessEnded(Promise.resolve(1), signal)).toBe(1);
  await expect(unlessEnded(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
});

test('throws the reason of the order to end, and nobody hears of the work again', async () => {
  const order = new AbortController();
  const work = Promise.withResolvers<number>();
  const result = unlessEnded(work.promise, order.signal);
  order.abort(new Error('drained'));
  await expect(result).rejects.toThrow('drained');
  work.reject(new Error('too late'));
  await expect(unlessEnded(Promise.resolve(1), order.signal)).rejects.toThrow('drained');
});
