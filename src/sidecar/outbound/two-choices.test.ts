import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seeded } from './testing/endpoints.ts';
import { twoChoices } from './two-choices.ts';

const below = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('is one of the candidates, and never the dearest of several', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(), { minLength: 1 }), fc.tuple(below, below), (costs, draws) => {
      const left = [...draws];
      const chosen = twoChoices(
        costs,
        (cost) => cost,
        () => left.shift() ?? 0,
      );
      expect(costs).toContain(chosen);
      if (costs.length > 1) expect(chosen).not.toBe(Math.max(...costs));
    }),
  );
});

test('of nobody is nobody', () => {
  expect(twoChoices([], () => 0, Math.random)).toBeUndefined();
});

test('among equals each is taken as often', () => {
  const random = seeded(7);
  const counts = [0, 0, 0, 0, 0];
  for (let call = 0; call < 50_000; call += 1) {
    const chosen = twoChoices([0, 1, 2, 3, 4], () => 1, random) ?? 0;
    counts[chosen] = (counts[chosen] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
});
