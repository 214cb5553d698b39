import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Backoff } from './backoff.ts';
import { sleep, systemClock } from './clock.ts';
import { FakeClock } from './testing.ts';

test('a fake clock runs timers in the order of their time, also those that timers start', async () => {
  const clock = new FakeClock(0);
  const order: string[] = [];
  clock.after(20, () => order.push(`late at ${clock.now()}`));
  clock.after(10, () => {
    order.push(`early at ${clock.now()}`);
    clock.after(5, () => order.push(`started at ${clock.now()}`));
  });
  await clock.advance(30);
  expect(order).toEqual(['early at 10', 'started at 15', 'late at 20']);
  expect(clock.pendingTimers).toBe(0);
});

test('sleep ends with time or with its signal, and leaves no timer', async () => {
  const clock = new FakeClock(0);
  const controller = new AbortController();
  const woke = vi.fn();
  void sleep(clock, 100, controller.signal).then(woke);
  const interrupted = sleep(clock, 1000, controller.signal);
  await clock.advance(100);
  expect(woke).toHaveBeenCalledOnce();
  controller.abort(new Error('enough'));
  await expect(interrupted).rejects.toThrow('enough');
  await expect(sleep(clock, 1, controller.signal)).rejects.toThrow('enough');
  expect(clock.pendingTimers).toBe(0);
});

test('the system clock waits longer than one timer of Node can', () => {
  vi.useFakeTimers();
  try {
    const task = vi.fn();
    const month = 30 * 24 * 3600 * 1000;
    systemClock.after(month, task);
    vi.advanceTimersByTime(month - 1);
    expect(task).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(task).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

test('backoff doubles up to its longest delay, shortened by at most its jitter', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(40), (random, attempts) => {
      const config = { firstMilliseconds: 100, longestMilliseconds: 5000, jitter: 0.2 };
      const backoff = new Backoff(config, () => random);
      for (let attempt = 0; attempt <= attempts; attempt += 1) {
        const full = Math.min(100 * 2 ** attempt, 5000);
        const delay = backoff.next();
        expect(delay).toBeLessThanOrEqual(full);
        expect(delay).toBeGreaterThanOrEqual(full * 0.8);
      }
      backoff.reset();
      expect(backoff.next()).toBeLessThanOrEqual(100);
    }),
  );
});
