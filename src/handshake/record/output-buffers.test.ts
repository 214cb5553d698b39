import { expect, test } from 'vitest';
import { giveBackBuffer, lendBuffer } from './output-buffers.ts';

test('a buffer is lent to one at a time, and again once it came back', () => {
  const lent = Array.from({ length: 40 }, () => lendBuffer(65_536));
  expect(new Set(lent.map(({ buffer }) => buffer)).size).toBe(40);
  giveBackBuffer(lent[0]!);
  expect(lendBuffer(3000).buffer).toBe(lent[0]!.buffer);
  // It came back once: whoever gives it back again gives nothing.
  const [one, other] = [lendBuffer(65_536), lendBuffer(65_536)];
  giveBackBuffer(one);
  giveBackBuffer(one);
  const [again, fresh] = [lendBuffer(65_536), lendBuffer(65_536)];
  expect(again.buffer).toBe(one.buffer);
  expect(fresh.buffer).not.toBe(one.buffer);
  expect(fresh.buffer).not.toBe(other.buffer);
});

test('memory of others is never taken in', () => {
  const foreign = new Uint8Array(65_536);
  giveBackBuffer(foreign);
  const lent = Array.from({ length: 40 }, () => lendBuffer(65_536).buffer);
  expect(lent).not.toContain(foreign.buffer);
});

test('what is kept is bounded', () => {
  const lent = Array.from({ length: 100 }, () => lendBuffer(65_536));
  for (const buffer of lent) giveBackBuffer(buffer);
  const known = new Set(lent.map(({ buffer }) => buffer));
  const again = Array.from({ length: 100 }, () => lendBuffer(65_536).buffer);
  expect(again.filter((buffer) => known.has(buffer)).length).toBeLessThanOrEqual(32);
});
