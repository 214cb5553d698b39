import { expect, test } from 'vitest';
import { drainPair } from './drain.ts';

test('the drain is over when every watcher has let go', async () => {
  const { trigger, watcher } = drainPair();
  const gate = Promise.withResolvers<void>();
  let over = false;
  watcher.onDrain(() => gate.promise);
  watcher.onDrain(async () => undefined);
  expect(watcher.draining).toBe(false);
  const drained = trigger.start().then(() => {
    over = true;
  });
  expect(watcher.draining).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  gate.resolve();
  await drained;
});

test('starting again waits for the same drain and runs nothing twice', async () => {
  const { trigger, watcher } = drainPair();
  let runs = 0;
  watcher.onDrain(async () => {
    runs += 1;
  });
  await Promise.all([trigger.start(), trigger.start()]);
  expect(runs).toBe(1);
});

test('a watcher that comes during the drain is part of it', async () => {
  const { trigger, watcher } = drainPair();
  const seen: string[] = [];
  watcher.onDrain(async () => {
    watcher.onDrain(async () => void seen.push('late'));
  });
  await trigger.start();
  expect(seen).toEqual(['late']);
});

test('the first error of a watcher is the error of the drain', async () => {
  const { trigger, watcher } = drainPair();
  watcher.onDrain(() => Promise.reject(new Error('stuck')));
  await expect(trigger.start()).rejects.toThrow('stuck');
});

test('watchers hear when there is no more time, also those that come later', async () => {
  const { trigger, watcher } = drainPair();
  const heard: string[] = [];
  const until = (name: string) => async (late: AbortSignal) => {
    if (!late.aborted) await new Promise((resolve) => late.addEventListener('abort', resolve));
    heard.push(name);
  };
  watcher.onDrain(until('first'));
  const drained = trigger.start();
  trigger.expire();
  watcher.onDrain(until('second'));
  await drained;
  expect(heard.toSorted()).toEqual(['first', 'second']);
});
