import { expect, test } from 'vitest';
import type { TokenUse } from '#identity/issuance';
import { Scope, silentLog, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { FakeKubernetes } from '../testing/index.ts';
import { TokenLeases } from './token-leases.ts';

const NOW = Date.UTC(2026, 5, 1);
const PATH = '/apis/coordination.k8s.io/v1/namespaces/mesh/leases';
const SIGNAL = new AbortController().signal;
const USE: TokenUse = { id: 'JTI=1', expiresAt: NOW + 600_000, key: 'first', run: 0 };

/** Two replicas at one API server. */
function replicas() {
  const api = new FakeKubernetes();
  const clock = new FakeClock(NOW);
  const leads = new Watch(true);
  const parts = { api, namespace: 'mesh', leads, clock, log: silentLog };
  return { api, clock, leads, one: new TokenLeases(parts), two: new TokenLeases(parts) };
}

test('a token serves the key that came first, at every replica, and costs one write', async () => {
  const { api, one, two } = replicas();
  expect(await one.keep(USE)).toEqual(USE);
  expect(api.sent).toEqual([`POST ${PATH}`]);
  const [[path, lease] = []] = api.objects;
  // As the API server demands of names and labels.
  expect(path).toMatch(/\/token-[0-9a-f]{40}$/);
  expect(lease).toMatchObject({
    metadata: { labels: { 'mesh.sallyport.dev/token-until': String(USE.expiresAt / 1000) } },
    spec: { holderIdentity: 'first', leaseTransitions: 0, leaseDurationSeconds: 600 },
  });
  expect((await two.keep({ ...USE, key: 'second' })).key).toBe('first');
  expect((await two.keep(USE)).key).toBe('first');
  expect(api.objects.size).toBe(1);
});

test('attack: a token shown with two keys at two replicas at the same moment serves one of them', async () => {
  for (let round = 0; round < 50; round += 1) {
    const { one, two } = replicas();
    const [first, second] = [USE, { ...USE, key: 'second' }];
    const kept = await Promise.all(
      round % 2 === 0 ? [one.keep(first), two.keep(second)] : [two.keep(second), one.keep(first)],
    );
    expect(new Set(kept.map(({ key }) => key)).size).toBe(1);
  }
});

test('a later run of the sidecar brings another key once; a replica that has not seen the restart does not', async () => {
  const { one, two } = replicas();
  await one.keep(USE);
  const restarted = { ...USE, key: 'second', run: 1 };
  expect(await two.keep(restarted)).toEqual(restarted);
  expect((await one.keep(USE)).key).toBe('second');
  expect((await one.keep({ ...USE, key: 'third' })).key).toBe('second');
  expect((await one.keep({ ...USE, key: 'third', run: 1 })).key).toBe('second');
  // Two that were both started again: one of them is last.
  const kept = await Promise.all([
    one.keep({ ...USE, key: 'fourth', run: 2 }),
    two.keep({ ...USE, key: 'fifth', run: 2 }),
  ]);
  expect(new Set(kept.map(({ key }) => key)).size).toBe(1);
});

test('what cannot be written or read is an error, never a free token', async () => {
  const { api, one } = replicas();
  api.down = true;
  await expect(one.keep(USE)).rejects.toThrow('did not answer');
  for (const status of [403, 500, 507]) {
    const refusing = { send: () => Promise.resolve({ status, body: { message: 'as the test asked' } }) };
    const leases = new TokenLeases({
      api: refusing,
      namespace: 'mesh',
      leads: new Watch(true),
      clock: new FakeClock(NOW),
      log: silentLog,
    });
    await expect(leases.keep(USE)).rejects.toThrow(`HTTP ${status}: as the test asked`);
  }
});

test('a Lease that somebody emptied serves nobody of that run', async () => {
  const { api, one } = replicas();
  await one.keep(USE);
  const [[path = ''] = []] = api.objects;
  api.put(path, { metadata: { name: path.slice(path.lastIndexOf('/') + 1), namespace: 'mesh' }, spec: {} });
  expect((await one.keep({ ...USE, key: 'second' })).key).toBe('');
});

test('the leader removes the Leases of expired tokens, and no other', async () => {
  const { api, clock, leads, one } = replicas();
  api.put(`${PATH}/controller`, { metadata: { name: 'controller', namespace: 'mesh' } });
  await one.keep(USE);
  await one.keep({ ...USE, id: 'JTI=2', expiresAt: NOW + 7_200_000 });
  const scope = new Scope('test', (error) => {
    throw error;
  });
  leads.set(false);
  one.run(scope);
  await clock.advance(3_600_000);
  expect(api.objects.size).toBe(3);
  leads.set(true);
  await clock.advance(5 * 60_000);
  expect(api.objects.size).toBe(2);
  // While a clock may still take the token for good, it is remembered.
  await one.sweep(SIGNAL);
  await clock.advance(3_600_000 - 5 * 60_000);
  expect(api.objects.size).toBe(2);
  await clock.advance(20 * 60_000);
  expect([...api.objects.keys()]).toEqual([`${PATH}/controller`]);
  api.down = true;
  await clock.advance(5 * 60_000);
  await scope.close();
});
