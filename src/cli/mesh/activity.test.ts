import { expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { DENIED, handshake } from '../testing/sample.ts';
import type { Outcome } from '../traffic/classify.ts';
import { MeshActivity } from './activity.ts';

const id = (name: string): string => `spiffe://shop.example/ns/default/sa/${name}`;
const hops = [
  { from: 'web', to: 'orders', identity: id('web') },
  { from: 'web', to: 'payments', identity: id('web') },
];
const client = {
  role: 'client',
  service: 'web',
  local: id('web'),
  peer: id('orders'),
  destination: 'orders:8481',
} as const;

test('a handshake is counted once, though two sides tell of it', () => {
  const activity = new MeshActivity({ hops, clock: new FakeClock() });
  activity.handshake(handshake(client));
  activity.handshake(handshake());
  expect(activity.totals).toMatchObject({ handshakes: 1, failedHandshakes: 0, denials: 0 });
  expect(activity.newest(10)).toHaveLength(1);
  expect(activity.newest(10)[0]?.role).toBe('server');
});

test('of a denial the server knows the reason, in whichever order the sides come', () => {
  const alerted = handshake({
    ...client,
    destination: 'payments:8482',
    traceId: DENIED.traceId,
    result: 'failed',
    reason: 'alert-received',
  });
  for (const records of [
    [alerted, DENIED],
    [DENIED, alerted],
  ]) {
    const activity = new MeshActivity({ hops, clock: new FakeClock() });
    for (const record of records) activity.handshake(record);
    expect(activity.totals).toMatchObject({ handshakes: 1, denials: 1 });
    expect(activity.lastHandshake({ from: 'web', to: 'payments' })?.reason).toBe('no-policy-allows');
  }
});

test('a handshake that did not come to its end is no full handshake', () => {
  const activity = new MeshActivity({ hops, clock: new FakeClock() });
  activity.handshake(handshake({ result: 'failed', establishedMs: undefined, peer: undefined }));
  expect(activity.totals).toMatchObject({ handshakes: 0, failedHandshakes: 1, denials: 0 });
});

test('requests are counted by outcome, and their rate falls when they stop', async () => {
  const clock = new FakeClock();
  const activity = new MeshActivity({ hops, clock });
  const entry = {
    service: 'web',
    path: '/',
    as: undefined,
    through: [{ from: 'web', to: 'orders' }],
    everyMilliseconds: 100,
  };
  for (const outcome of ['ok', 'ok', 'denied', 'failed', 'passed'] satisfies Outcome[]) {
    activity.request({
      entry,
      outcome,
      answer: { kind: 'status', status: 200 },
      forbidden: [],
      durationMilliseconds: 1,
    });
  }
  expect(activity.totals).toMatchObject({
    requests: 5,
    ok: 2,
    denied: 1,
    failed: 1,
    passed: 1,
    undecided: 0,
  });
  expect(activity.requestsPerSecond({ from: 'web', to: 'orders' })).toBe(1);
  expect(activity.faults).toEqual([
    'http://web/ failed: status 200 (1 time)',
    'http://web/ passed: status 200 (1 time)',
  ]);
  await clock.advance(6_000);
  expect(activity.requestsPerSecond({ from: 'web', to: 'orders' })).toBe(0);
});

test('memory does not grow with the number of handshakes', () => {
  const activity = new MeshActivity({ hops, clock: new FakeClock() });
  for (let index = 0; index < 5_000; index += 1) activity.handshake(handshake({ traceId: String(index) }));
  expect(activity.newest(10_000).length).toBeLessThanOrEqual(256);
  expect(activity.newest(1)[0]?.traceId).toBe('4999');
});
