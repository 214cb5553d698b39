import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { common, merged, type Span, without } from './spans.ts';

const MOST = 40;
const span = fc
  .tuple(fc.nat({ max: MOST }), fc.nat({ max: MOST }))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) + 1 }));
const spans = fc.array(span, { maxLength: 6 });

function numbers(list: readonly Span<number>[]): number[] {
  const all = new Array(MOST + 2).fill(0).map((_, number) => number);
  return all.filter((number) => list.some(({ from, to }) => from <= number && number < to));
}

test('sets of numbers, whatever overlaps', () => {
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const [inA, inB] = [numbers(a), new Set(numbers(b))];
      expect(numbers(merged(a))).toEqual(inA);
      expect(numbers(without(a, b))).toEqual(inA.filter((number) => !inB.has(number)));
      expect(numbers(common(a, b))).toEqual(inA.filter((number) => inB.has(number)));
    }),
  );
});

test('the result ascends, and its spans neither overlap nor touch', () => {
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      for (const result of [merged(a), without(a, b), common(a, b)]) {
        for (const [index, { from, to }] of result.entries()) {
          expect(from).toBeLessThan(to);
          expect(from).toBeGreaterThan(result[index - 1]?.to ?? -1);
        }
      }
    }),
  );
});

test('bigints as well', () => {
  const all = [{ from: 0n, to: 2n ** 128n }];
  expect(without(all, [{ from: 1n, to: 2n ** 127n }])).toEqual([
    { from: 0n, to: 1n },
    { from: 2n ** 127n, to: 2n ** 128n },
  ]);
});
