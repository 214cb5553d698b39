import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Destination } from '../config.ts';
import { meshed, ORDERS, POD, TestDiscovery, unmeshed } from './testing.ts';

/** Times are multiples of it, as are those of renewals and of backoff without jitter. */
const STEP = 100;
const HOLD_STEPS = 10;

const ANSWERS = {
  meshed: meshed(ORDERS),
  pod: unmeshed(true),
  host: unmeshed(false),
  unknown: { unknown: {} },
  unreadable: meshed('nobody'),
} as const;

const anything = fc.oneof(
  fc.record({ do: fc.constant('tell' as const), what: fc.constantFrom(...objectKeys(ANSWERS)) }),
  fc.record({ do: fc.constant('wait' as const), steps: fc.constantFrom(1, 5, 33, 66, 101) }),
  fc.record({ do: fc.constant('lease' as const), milliseconds: fc.constantFrom(0, 10_000) }),
  // `speaks`: whether controllers that are reached from then on give leases.
  fc.record({ do: fc.constant('break' as const), speaks: fc.boolean() }),
  fc.record({ do: fc.constant('call' as const) }),
);

/** The rules of the design in the order in which it has them, over all that was said so far. */
class Naive {
  readonly #rig: TestDiscovery;
  readonly #counted = new Map<object, number>();
  told: keyof typeof ANSWERS | undefined;
  leaseMilliseconds = 10_000;
  #leaseEnds = Number.NEGATIVE_INFINITY;

  constructor(rig: TestDiscovery) {
    this.#rig = rig;
  }

  async step(): Promise<void> {
    await this.#rig.clock.advance(STEP);
    this.look();
  }

  /** A lease counts from when it was asked for: which was at this moment. */
  look(): void {
    for (const controller of this.#rig.controllers) {
      controller.leaseMilliseconds = this.leaseMilliseconds;
      const asked = controller.heard.filter(({ renew }) => renew).length;
      const isNew = asked > (this.#counted.get(controller) ?? 0);
      this.#counted.set(controller, asked);
      if (!isNew || !controller.answersRenew || this.leaseMilliseconds === 0) continue;
      this.#leaseEnds = this.#rig.clock.monotonic() + this.leaseMilliseconds;
    }
  }

  get now(): string {
    if (this.told === 'meshed') return 'meshed';
    if (this.told === 'host') return 'plaintext';
    if (this.told !== 'pod') return 'destination-unknown';
    return this.#rig.clock.monotonic() < this.#leaseEnds ? 'plaintext' : 'lease-lapsed';
  }
}

test('whatever controllers say, and however long they are away, a call is led where the rules lead it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { maxLength: 25 }), async (happenings) => {
      const rig = new TestDiscovery();
      const naive = new Naive(rig);
      rig.controller.networks('10.0.0.0/8');
      await rig.clock.advance(0);
      naive.look();
      for (const each of [...happenings, { do: 'call' } as const]) {
        if (each.do === 'wait') for (let step = 0; step < each.steps; step += 1) await naive.step();
        else if (each.do === 'lease') {
          naive.leaseMilliseconds = each.milliseconds;
          rig.leaseMilliseconds = each.milliseconds;
          naive.look();
        } else if (each.do === 'break') {
          rig.speechless = !each.speaks;
          if (!rig.controller.closed) rig.controller.break();
          await rig.clock.advance(0);
        } else if (each.do === 'tell') {
          // Only what was asked for is told, by whoever is there.
          if (naive.told === undefined) await called(rig, naive);
          if (rig.controller.closed) continue;
          rig.controller.answer(POD.host, POD.port, ANSWERS[each.what], each.what);
          naive.told = each.what;
        } else await called(rig, naive);
      }
      await rig.end();
    }),
    { numRuns: 60 },
  );
}, 120_000);

/** A call waits for up to a second for something better than a refusal. */
async function called(rig: TestDiscovery, naive: Naive): Promise<void> {
  const call = rig.call();
  await rig.clock.advance(0);
  let expected = naive.now;
  for (let step = 0; step < HOLD_STEPS; step += 1) {
    await naive.step();
    if (!isPassage(expected)) expected = naive.now;
  }
  expect(textOf(await call)).toBe(expected);
}

function isPassage(text: string): boolean {
  return text === 'meshed' || text === 'plaintext';
}

function textOf(destination: Destination | string): string {
  if (typeof destination === 'string') return destination;
  return destination.kind === 'unmeshed' ? 'plaintext' : destination.kind;
}

function objectKeys<Key extends string>(object: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(object) as Key[];
}
