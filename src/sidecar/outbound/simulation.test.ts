import { expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import type { Balancer } from './balancer.ts';
import { balancerOf, NEW, numberOf, REFUSED, seeded, setOf, upTo } from './testing/endpoints.ts';

const SET = setOf(upTo(10));

/** How an endpoint behaves: milliseconds until its connection stands; undefined: it refuses. */
type Behaviour = (number: number) => number | undefined;

/** Calls at a steady rate, each holding its connection for a while. Returns how many each endpoint got, and failures. */
async function traffic(
  clock: FakeClock,
  balancer: Balancer,
  behaviour: Behaviour,
  { calls = 1_000, everyMilliseconds = 10, holdMilliseconds = 200, set = SET } = {},
): Promise<{ readonly got: ReadonlyMap<number, number>; readonly failed: number }> {
  const got = new Map<number, number>();
  let failed = 0;
  for (let call = 0; call < calls; call += 1) {
    const tried = new Set<string>();
    const attempt = (): void => {
      const begun = tried.size < 3 ? balancer.begin(set, { ...NEW, tried }) : undefined;
      if (begun === undefined) {
        failed += 1;
        return;
      }
      const number = numberOf(begun);
      tried.add(begun.key);
      const takes = behaviour(number);
      if (takes === undefined) {
        begun.failed(REFUSED);
        attempt();
        return;
      }
      got.set(number, (got.get(number) ?? 0) + 1);
      clock.after(takes, () => {
        begun.connected();
        clock.after(holdMilliseconds, () => begun.closed());
      });
    };
    attempt();
    await clock.advance(everyMilliseconds);
  }
  return { got, failed };
}

test('of ten equals each gets about a tenth', async () => {
  const clock = new FakeClock();
  const { balancer } = balancerOf(clock, { random: seeded(3) });
  const { got } = await traffic(clock, balancer, () => 5);
  for (let number = 1; number <= 10; number += 1) {
    expect(got.get(number)).toBeGreaterThan(60);
    expect(got.get(number)).toBeLessThan(140);
  }
}, 60_000);

test('one slow endpoint among ten gets little, and its share again once it is quick', async () => {
  const clock = new FakeClock();
  const { balancer } = balancerOf(clock, { random: seeded(4) });
  const slow = await traffic(clock, balancer, (number) => (number === 7 ? 800 : 5));
  expect(slow.got.get(7)).toBeLessThan(30);
  expect(slow.got.get(7)).toBeGreaterThan(0);
  await clock.advance(60_000);
  const after = await traffic(clock, balancer, () => 5);
  expect(after.got.get(7)).toBeGreaterThan(60);
}, 60_000);

test('an endpoint that dies costs no call, and one that comes back has its share within seconds', async () => {
  const clock = new FakeClock();
  const { balancer, told } = balancerOf(clock, { random: seeded(5) });
  const dead = await traffic(clock, balancer, (number) => (number === 3 ? undefined : 5));
  expect(dead.failed).toBe(0);
  expect(dead.got.has(3)).toBe(false);
  // Its tries become rare: 1 s, 2 s, 4 s, ... in the ten seconds of traffic.
  expect(told.filter((line) => line.includes('10.0.0.3 out')).length).toBeLessThanOrEqual(5);
  await clock.advance(30_000);
  const back = await traffic(clock, balancer, () => 5);
  expect(back.failed).toBe(0);
  expect(back.got.get(3)).toBeGreaterThan(60);
  expect(told.at(-1)).toBe('10.0.0.3 back');
}, 60_000);

test('nine of ten die: no call fails while one is left', async () => {
  const clock = new FakeClock();
  const { balancer } = balancerOf(clock, { random: seeded(6) });
  await traffic(clock, balancer, () => 5, { calls: 100 });
  const { failed } = await traffic(clock, balancer, (number) => (number === 10 ? 5 : undefined), {
    calls: 500,
  });
  // Only those of the first moment, which met dead endpoints in all of their tries.
  expect(failed).toBeLessThan(10);
}, 60_000);

test('a rollout, one endpoint after the other replaced: no call fails', async () => {
  const clock = new FakeClock();
  const { balancer } = balancerOf(clock, { random: seeded(7) });
  for (let step = 0; step < 10; step += 1) {
    const endpoints = upTo(20).slice(step, step + 10);
    // The list lags: the first of it is gone already.
    const { failed } = await traffic(clock, balancer, (number) => (number === step + 1 ? undefined : 5), {
      calls: 50,
      set: setOf(endpoints),
    });
    expect(failed).toBe(0);
  }
  expect(balancer.list().length).toBeLessThanOrEqual(11);
}, 60_000);

test.each([2, 10])(
  'attack: one of %d accepts every call at once and breaks it off: it gets few',
  async (count) => {
    const clock = new FakeClock();
    const { balancer } = balancerOf(clock, { random: seeded(8) });
    const set = setOf(upTo(count));
    let broken = 0;
    const calls = 2_000;
    for (let call = 0; call < calls; call += 1) {
      const begun = balancer.begin(set, NEW)!;
      const isThief = numberOf(begun) === 1;
      clock.after(isThief ? 0 : 5, () => {
        begun.connected();
        // The others have long work to do, which makes the quick one look cheap.
        if (!isThief) return void clock.after(5_000, () => begun.closed());
        broken += 1;
        begun.closed(REFUSED);
      });
      await clock.advance(10);
    }
    // In 20 seconds: at 0, and 1, 3, 7, 15 seconds later, as one that refuses connections.
    expect(broken).toBeGreaterThan(0);
    expect(broken).toBeLessThanOrEqual(8);
  },
  60_000,
);
