import { expect, test } from 'vitest';
import { giveBackHeap } from './heap.ts';

test('collects what nobody holds any more, and leaves no gc for others to call', async () => {
  const held = new WeakRef(Array.from({ length: 1_000_000 }, (_, index) => ({ index })));
  // A WeakRef holds what it refers to until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  const before = process.memoryUsage().heapUsed;
  giveBackHeap();
  expect(held.deref()).toBeUndefined();
  expect(process.memoryUsage().heapUsed).toBeLessThan(before - 10_000_000);
  expect(globalThis.gc).toBeUndefined();
});
