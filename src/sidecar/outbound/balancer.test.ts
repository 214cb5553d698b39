import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { serviceAccountId } from '#identity';
import type { Balancer, Attempt } from './balancer.ts';
import { type EndpointSet, keyOf } from './endpoint-set.ts';
import {
  balancerOf,
  meshed,
  NEW,
  numberOf,
  peek,
  REFUSED,
  seeded,
  setOf,
  unmeshed,
  upTo,
} from './testing/endpoints.ts';

/** Who was called, of so many calls. */
function shares(balancer: Balancer, set: EndpointSet, calls = 1_000): Map<number, number> {
  const counts = new Map<number, number>();
  for (let call = 0; call < calls; call += 1) {
    const number = peek(balancer, set) ?? 0;
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** Calls the endpoint until it is chosen, and fails there. */
function failAt(balancer: Balancer, set: EndpointSet, number: number): void {
  const held: Attempt[] = [];
  for (;;) {
    const attempt = balancer.begin(set, NEW);
    if (attempt === undefined) throw new Error('nobody is left');
    if (numberOf(attempt) === number) {
      attempt.failed(REFUSED);
      break;
    }
    held.push(attempt);
    if (held.length > 10_000) throw new Error(`${number} is never chosen`);
  }
  for (const attempt of held) attempt.failed(undefined);
}

describe('ejection', () => {
  test('an endpoint that failed is left alone, said so, and comes back by one call at a time', async () => {
    const clock = new FakeClock();
    const { balancer, told } = balancerOf(clock);
    const set = setOf(upTo(4));
    failAt(balancer, set, 2);
    expect(told).toEqual(['10.0.0.2 out: refused']);
    expect(balancer.ejected).toBe(1);
    expect(shares(balancer, set).has(2)).toBe(false);
    await clock.advance(1_000);
    expect(balancer.ejected).toBe(0);
    const trying = Array.from({ length: 40 }, () => balancer.begin(set, NEW) as Attempt);
    const there = trying.filter((attempt) => numberOf(attempt) === 2);
    expect(there).toHaveLength(1);
    there[0]?.connected();
    expect(told).toEqual(['10.0.0.2 out: refused', '10.0.0.2 back']);
    for (const attempt of trying) if (attempt !== there[0]) attempt.failed(undefined);
    there[0]?.closed();
    expect(shares(balancer, set).get(2)).toBeGreaterThan(150);
  });

  test('never of all: when every one failed, every one may be tried', () => {
    const { balancer } = balancerOf(new FakeClock());
    const set = setOf(upTo(3));
    for (const number of [1, 2, 3]) failAt(balancer, set, number);
    expect(balancer.ejected).toBe(3);
    expect(shares(balancer, set).size).toBe(3);
  });

  test('below the panic threshold first tries go to all, so that what is left is not overrun', () => {
    const { balancer } = balancerOf(new FakeClock());
    const set = setOf(upTo(4));
    for (const number of [1, 2]) failAt(balancer, set, number);
    expect(new Set(shares(balancer, set).keys())).toEqual(new Set([3, 4]));
    failAt(balancer, set, 3);
    const panic = shares(balancer, set);
    // Whoever failed costs more, so that the one that works has every draw that it is in.
    expect(panic.size).toBe(4);
    expect(panic.get(4)).toBeGreaterThan(400);
    // A further try of a call doesn't serve the balance.
    const tried = new Set([keyOf(meshed(1))]);
    for (let call = 0; call < 50; call += 1) {
      expect(peek(balancer, set, { tried, meshedOnly: false })).toBe(4);
    }
  });

  test('what our own side did wrong is no endpoint is judged by', () => {
    const { balancer, told } = balancerOf(new FakeClock());
    const set = setOf(upTo(2));
    for (let call = 0; call < 10; call += 1) balancer.begin(set, NEW)?.failed(undefined);
    expect(told).toEqual([]);
    expect(balancer.list().every(({ outstanding }) => outstanding === 0)).toBe(true);
  });
});

describe('who may be called at all', () => {
  test('terminating endpoints are the last resort', () => {
    const { balancer } = balancerOf(new FakeClock());
    const set = setOf([meshed(1), meshed(2, { terminating: true })]);
    expect([...shares(balancer, set).keys()]).toEqual([1]);
    const attempt = balancer.begin(set, NEW) as Attempt;
    attempt.failed(REFUSED);
    expect(peek(balancer, set, { tried: new Set([attempt.key]), meshedOnly: false })).toBe(2);
    expect(peek(balancer, setOf([meshed(2, { terminating: true })]))).toBe(2);
  });

  test('internalTrafficPolicy Local: our node or nobody, also where our node is not known', () => {
    const endpoints = [meshed(1, { node: 'a' }), meshed(2, { node: 'b' })];
    const set = setOf(endpoints, { internalTrafficPolicy: 'Local' });
    const on = (node?: string) =>
      balancerOf(new FakeClock(), { whereabouts: node === undefined ? {} : { node } });
    expect(peek(on('a').balancer, set)).toBe(1);
    expect(peek(on('c').balancer, set)).toBeUndefined();
    expect(peek(on().balancer, set)).toBeUndefined();
    const unplaced = setOf([meshed(3)], { internalTrafficPolicy: 'Local' });
    expect(peek(on().balancer, unplaced)).toBeUndefined();
  });

  test.each([
    ['PreferSameZone', [1, 2]],
    ['PreferSameNode', [1]],
  ] as const)('%s: near ones as long as there is one that works', (trafficDistribution, near) => {
    const clock = new FakeClock();
    const { balancer } = balancerOf(clock, { whereabouts: { node: 'a', zone: 'x' } });
    const endpoints = [
      meshed(1, { node: 'a', zone: 'x' }),
      meshed(2, { node: 'b', zone: 'x' }),
      meshed(3, { node: 'c', zone: 'y' }),
      meshed(4, { node: 'd', zone: 'y' }),
    ];
    const set = setOf(endpoints, { trafficDistribution });
    expect(new Set(shares(balancer, set).keys())).toEqual(new Set(near));
    for (const number of [1, 2]) failAt(balancer, set, number);
    expect(new Set(shares(balancer, set).keys())).toEqual(new Set([3, 4]));
  });

  test('sessionAffinity: the same one for a time, another when it is gone or failing', async () => {
    const clock = new FakeClock();
    const { balancer } = balancerOf(clock);
    const set = setOf(upTo(5), { affinityMilliseconds: 60_000 });
    const first = balancer.begin(set, NEW) as Attempt;
    first.connected();
    first.closed();
    const number = numberOf(first);
    await clock.advance(59_999);
    expect([...shares(balancer, set).keys()]).toEqual([number]);
    await clock.advance(1);
    expect(shares(balancer, set).size).toBe(5);

    const again = balancer.begin(set, NEW) as Attempt;
    again.connected();
    again.closed();
    const without = setOf(
      upTo(5).filter((_, index) => index + 1 !== numberOf(again)),
      { affinityMilliseconds: 60_000 },
    );
    expect(shares(balancer, without).has(numberOf(again))).toBe(false);
    expect([...shares(balancer, set).keys()]).toEqual([numberOf(again)]);
    failAt(balancer, set, numberOf(again));
    expect(shares(balancer, set).has(numberOf(again))).toBe(false);
  });
});

describe('plaintext', () => {
  test('after a try with a sidecar none without may follow', () => {
    const { balancer } = balancerOf(new FakeClock());
    const set = setOf([meshed(1), unmeshed(2), unmeshed(3)]);
    const tried = new Set([keyOf(meshed(1))]);
    expect(peek(balancer, set, { tried, meshedOnly: false })).toBeGreaterThan(1);
    expect(peek(balancer, set, { tried, meshedOnly: true })).toBeUndefined();
  });

  test('does not become more because handshakes are broken: its share is that of endpoints without a sidecar', () => {
    const { balancer } = balancerOf(new FakeClock());
    const set = setOf([...upTo(9), unmeshed(10)]);
    const before = shares(balancer, set, 10_000).get(10) ?? 0;
    for (let number = 1; number <= 9; number += 1) failAt(balancer, set, number);
    const after = shares(balancer, set, 10_000).get(10) ?? 0;
    expect(Math.abs(before - 1_000)).toBeLessThan(150);
    expect(Math.abs(after - 1_000)).toBeLessThan(150);
  });
});

describe('what is remembered', () => {
  test('survives a change of the list, and goes with the endpoint', () => {
    const { balancer } = balancerOf(new FakeClock());
    failAt(balancer, setOf(upTo(3)), 2);
    expect(shares(balancer, setOf(upTo(5).toReversed())).has(2)).toBe(false);
    shares(balancer, setOf([meshed(1), meshed(3)]));
    expect(balancer.list().map(({ endpoint }) => endpoint.split(' ')[0])).not.toContain('10.0.0.2:8080');
    expect(shares(balancer, setOf(upTo(3))).has(2)).toBe(true);
  });

  test('is not held against another identity at the same address', () => {
    const { balancer } = balancerOf(new FakeClock());
    failAt(balancer, setOf(upTo(2)), 1);
    const other = { ...meshed(1), identities: [serviceAccountId('mesh.test', 'shop', 'other')] };
    expect(shares(balancer, setOf([other, meshed(2)])).has(1)).toBe(true);
  });

  test('is shared by Services that have the endpoint, until the last of them lets go', () => {
    const { balancer } = balancerOf(new FakeClock());
    const headless = { service: 'orders-headless.shop:80' };
    failAt(balancer, setOf(upTo(3)), 2);
    const failed = (service: Partial<EndpointSet>) => !shares(balancer, setOf(upTo(3), service)).has(2);
    expect(failed(headless)).toBe(true);
    failAt(balancer, setOf(upTo(1), headless), 1);
    shares(balancer, setOf([meshed(3)]));
    const known = balancer.list().map(({ endpoint }) => endpoint.split(':')[0]);
    expect(known).toContain('10.0.0.1');
    expect(known).not.toContain('10.0.0.2');
  });

  test('is bounded, whatever is called', () => {
    const { balancer } = balancerOf(new FakeClock(), { services: 3, endpoints: 20 });
    for (let call = 0; call < 500; call += 1) {
      const endpoints = upTo(1 + (call % 50));
      balancer.begin(setOf(endpoints, { service: `${call % 11}:80` }), NEW)?.connected();
    }
    expect(balancer.list().length).toBeLessThanOrEqual(20);
  });
});

test('order of the endpoints never matters', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      (numbers, seed) => {
        const clock = new FakeClock();
        const run = (list: readonly number[]): (number | undefined)[] => {
          const { balancer } = balancerOf(clock, { random: seeded(seed) });
          return Array.from({ length: 20 }, (_, call) => {
            // A new set each time, as updates bring it.
            const attempt = balancer.begin(setOf(list.map((number) => meshed(number))), NEW);
            if (call % 3 === 0) attempt?.failed(REFUSED);
            else attempt?.connected();
            return attempt === undefined ? undefined : numberOf(attempt);
          });
        };
        expect(run(numbers.toReversed())).toEqual(run(numbers));
        expect(run(numbers.toSorted((a, b) => a - b))).toEqual(run(numbers));
      },
    ),
  );
});

test('an endpoint that is named twice counts once', () => {
  const { balancer } = balancerOf(new FakeClock());
  const counts = shares(balancer, setOf([meshed(1), meshed(1), meshed(1), meshed(2)]));
  expect(Math.abs((counts.get(2) ?? 0) - 500)).toBeLessThan(60);
});
