import { expect, test } from 'vitest';
import { Ejection } from './ejection.ts';
import { REFUSED } from './testing/endpoints.ts';

const CONFIG = { firstMilliseconds: 1_000, longestMilliseconds: 4_000, jitter: 0 };

test('each failure doubles the time up to the longest, a success ends it', () => {
  const ejection = new Ejection(CONFIG, () => 0);
  let now = 0;
  for (const expected of [1_000, 2_000, 4_000, 4_000]) {
    expect(ejection.fail(now, now, REFUSED)).toBe(expected);
    expect(ejection.isOut(now + expected - 1, 0)).toBe(true);
    now += expected;
    expect(ejection.isOut(now, 0)).toBe(false);
  }
  expect(ejection.reason).toBe(REFUSED);
  expect(ejection.succeed(now)).toBe(true);
  expect(ejection.succeed(now)).toBe(false);
  ejection.prove();
  expect(ejection.reason).toBeUndefined();
  expect(ejection.fail(now, now, REFUSED)).toBe(1_000);
});

test('one that comes back only to fail is left alone for longer each time, until it has been in use', () => {
  const ejection = new Ejection(CONFIG, () => 0);
  for (const [at, expected] of [
    [0, 1_000],
    [1_000, 2_000],
    [3_000, 4_000],
  ] as const) {
    expect(ejection.fail(at, at, REFUSED)).toBe(expected);
    ejection.succeed(at + expected);
  }
  // A connection that began before it failed again proves nothing.
  expect(ejection.fail(7_500, 7_500, REFUSED)).toBe(4_000);
  ejection.prove();
  ejection.succeed(11_500);
  expect(ejection.fail(15_499, 15_499, REFUSED)).toBe(4_000);
  ejection.succeed(19_499);
  expect(ejection.fail(23_499, 23_499, REFUSED)).toBe(1_000);
});

test('after the time one call at a time may try', () => {
  const ejection = new Ejection(CONFIG, () => 0);
  expect(ejection.isOut(0, 5)).toBe(false);
  ejection.fail(0, 0, REFUSED);
  expect(ejection.isOut(1_000, 0)).toBe(false);
  expect(ejection.isOut(1_000, 1)).toBe(true);
});

test('fifty calls that were under way when it went count once', () => {
  const ejection = new Ejection(CONFIG, () => 0);
  const out = Array.from({ length: 50 }, (_, index) => ejection.fail(index, 100 + index, REFUSED));
  expect(out.filter((milliseconds) => milliseconds !== undefined)).toEqual([1_000]);
  expect(ejection.left(100)).toBe(1_000);
});

test('the jitter only shortens', () => {
  const ejection = new Ejection({ ...CONFIG, jitter: 0.5 }, () => 0.5);
  expect(ejection.fail(0, 0, REFUSED)).toBe(750);
});
