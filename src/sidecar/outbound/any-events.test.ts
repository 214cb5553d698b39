import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '#runtime';
import type { Attempt } from './balancer.ts';
import { keyOf } from './endpoint-set.ts';
import { balancerOf, meshed, NEW, REFUSED, seeded, setOf, upTo } from './testing/endpoints.ts';

/** Everything that can happen to a balancer, in any order, with clocks that stand still and clocks that leap. */
const event = fc.oneof(
  fc.record({
    type: fc.constant('begin' as const),
    tried: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constantFrom('connected', 'failed', 'ours', 'closed', 'broken'),
    which: fc.nat(100),
  }),
  fc.record({
    type: fc.constant('wait' as const),
    milliseconds: fc.oneof(fc.nat(3_000), fc.constantFrom(0, 30_000, 86_400_000, 1e12)),
  }),
  fc.record({ type: fc.constant('list' as const), numbers: fc.uniqueArray(fc.integer({ min: 1, max: 5 })) }),
);

test('whatever happens: who is left is called, nothing is counted below zero, and all calms down', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), fc.nat(), (events, seed) => {
      let elapsed = 0;
      // The wall clock leaps; nothing here may look at it.
      const clock: Clock = {
        now: () => seed * elapsed,
        monotonic: () => elapsed,
        after: () => () => undefined,
      };
      const { balancer } = balancerOf(clock, { random: seeded(seed) });
      let set = setOf(upTo(5));
      const trying: Attempt[] = [];
      const standing: Attempt[] = [];
      for (const each of events) {
        if (each.type === 'wait') elapsed += each.milliseconds;
        else if (each.type === 'list') set = setOf(each.numbers.map((number) => meshed(number)));
        else if (each.type === 'begin') {
          const keys = new Set(each.tried.flatMap((number) => keysOf(set, number)));
          const begun = balancer.begin(set, { ...NEW, tried: keys });
          const left = set.endpoints.filter((one) => !each.tried.includes(numberIn(one.address.host)));
          // An ejection never empties a set: as long as one is left that the call has not tried, there is a way.
          expect(begun === undefined).toBe(left.length === 0);
          if (begun === undefined) continue;
          expect(left).toContain(begun.endpoint);
          trying.push(begun);
        } else if (each.type === 'closed' || each.type === 'broken') {
          const [attempt] = standing.splice(each.which % Math.max(standing.length, 1), 1);
          attempt?.closed(each.type === 'broken' ? REFUSED : undefined);
        } else {
          const [attempt] = trying.splice(each.which % Math.max(trying.length, 1), 1);
          if (attempt === undefined) continue;
          if (each.type !== 'connected') attempt.failed(each.type === 'failed' ? REFUSED : undefined);
          else {
            attempt.connected();
            standing.push(attempt);
          }
        }
        for (const row of balancer.list()) {
          expect(row.outstanding).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(row.latencyMs)).toBe(true);
          expect(row.ejectedForMs).toBeLessThanOrEqual(30_000);
        }
      }
      for (const attempt of trying) attempt.failed(undefined);
      for (const attempt of standing) attempt.closed();
      elapsed += 60_000;
      expect(balancer.ejected).toBe(0);
      for (const row of balancer.list()) expect(row.outstanding).toBe(0);
    }),
    { numRuns: 300 },
  );
});

function numberIn(host: string): number {
  return Number(host.split('.').at(-1));
}

function keysOf(set: ReturnType<typeof setOf>, number: number): string[] {
  return set.endpoints.filter(({ address }) => numberIn(address.host) === number).map((one) => keyOf(one));
}
