import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PeakEwma } from './peak-ewma.ts';

const steps = fc.array(fc.record({ wait: fc.nat(5_000), sample: fc.nat(5_000) }), { minLength: 1 });

test('is never above the longest sample nor below what the last one was worth then', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const ewma = new PeakEwma(1_000);
      let now = 0;
      let longest = 0;
      for (const { wait, sample } of list) {
        now += wait;
        longest = Math.max(longest, sample);
        const before = ewma.value(now);
        ewma.observe(sample, now);
        expect(ewma.value(now)).toBeLessThanOrEqual(longest + 1e-9);
        expect(ewma.value(now)).toBeGreaterThanOrEqual(Math.min(before, sample) - 1e-9);
      }
    }),
  );
});

test('a longer sample counts at once, and time alone takes it away', () => {
  const ewma = new PeakEwma(1_000);
  ewma.observe(10, 0);
  ewma.observe(500, 1);
  expect(ewma.value(1)).toBe(500);
  expect(ewma.value(1_001)).toBeCloseTo(500 / Math.E);
  expect(ewma.value(100_001)).toBeLessThan(1e-6);
});

test('shorter samples bring it down, the sooner the more time lies between', () => {
  const [quick, slow] = [new PeakEwma(1_000), new PeakEwma(1_000)];
  for (const [ewma, wait] of [
    [quick, 10],
    [slow, 1_000],
  ] as const) {
    ewma.observe(100, 0);
    ewma.observe(10, wait);
  }
  expect(slow.value(1_000)).toBeLessThan(quick.value(10));
});

test('a clock that stands still divides by nothing', () => {
  const ewma = new PeakEwma(1_000);
  ewma.observe(10, 5);
  ewma.observe(20, 5);
  ewma.observe(1, 5);
  expect(ewma.value(5)).toBe(20);
});
