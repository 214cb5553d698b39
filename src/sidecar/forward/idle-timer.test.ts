import { FakeClock } from '#runtime/testing';
import { expect, test } from 'vitest';
import { IdleTimer } from './idle-timer.ts';

test('fires once, a full period after the last touch', async () => {
  const clock = new FakeClock();
  let fired = 0;
  const timer = new IdleTimer(clock, 1_000, () => (fired += 1));
  await clock.advance(900);
  timer.touch();
  await clock.advance(999);
  expect(fired).toBe(0);
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(1);
  expect(fired).toBe(1);
  await clock.advance(10_000);
  expect(fired).toBe(1);
});

test('a stopped one leaves no timer', () => {
  const clock = new FakeClock();
  new IdleTimer(clock, 1_000, () => undefined).stop();
  expect(clock.pendingTimers).toBe(0);
});
