import { afterEach, beforeEach, expect, test } from 'vitest';
import { Scope, silentLog, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { ApiAnswer, KubernetesApi } from '../kubernetes/api.ts';
import { ClusterPolicies } from './cluster-policies.ts';
import { Observations } from './observations.ts';
import type { Status } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import { allow, denyAll, object, WEB } from './testing.ts';

const QUIET = 60_000;

let clock: FakeClock;
let policies: ClusterPolicies;
let observations: Observations;
let api: TestApi;
let scope: Scope;
let leads: Watch<boolean>;
let isWatched: boolean;
const failures: unknown[] = [];

beforeEach(() => {
  clock = new FakeClock();
  scope = new Scope('test', (error) => failures.push(error));
  policies = new ClusterPolicies({
    trustDomain: 'mesh.test',
    rootNamespace: 'sallyport-system',
    defaults: undefined,
    log: silentLog,
  });
  observations = new Observations(policies, clock);
  api = new TestApi();
  leads = new Watch(true);
  isWatched = true;
  new StatusWriter({
    ...{ api, policies, observations, leads, clock },
    nameOf: (address) => (address === '10.0.0.9' ? 'old.shop' : undefined),
    isWatched: () => isWatched,
    quietMilliseconds: QUIET,
    log: silentLog,
  }).run(scope);
});
afterEach(async () => {
  await scope.close();
  expect(failures.splice(0)).toEqual([]);
});

interface Written {
  readonly kind: 'MeshPolicy' | 'MeshTLS';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
  readonly status: Status;
}

/** Takes every status, and has the watch tell of it, unless a test says otherwise. */
class TestApi implements KubernetesApi {
  readonly written: { readonly path: string; readonly status: Status; readonly at: number }[] = [];
  answer = 200;

  async send(_method: string, path: string, body?: object): Promise<ApiAnswer> {
    const { kind, metadata, spec, status } = body as Written;
    this.written.push({ path, status, at: clock.monotonic() });
    if (this.answer === 200) {
      const { name, namespace } = metadata;
      const generation = status.observedGeneration;
      policies.apply(kind, `${namespace}/${name}`, {
        ...object(name, spec, { namespace, generation }),
        status,
      });
    }
    return { status: this.answer, body: {} };
  }

  get last(): Status | undefined {
    return this.written.at(-1)?.status;
  }
}

function put(
  name: string,
  spec: object,
  generation = 1,
  kind: 'MeshPolicy' | 'MeshTLS' = 'MeshPolicy',
): void {
  policies.apply(kind, `shop/${name}`, object(name, spec, { generation }));
}

function report(report: Parameters<Observations['take']>[2]): void {
  observations.take(WEB, policies.shareOf(WEB), report);
}

test('says of each object whether it is in force, once', async () => {
  put('a', denyAll);
  await clock.advance(1_000);
  expect(api.written).toMatchObject([
    {
      path: '/apis/mesh.sallyport.dev/v1alpha1/namespaces/shop/meshpolicies/a/status',
      status: {
        observedGeneration: 1,
        conditions: [{ type: 'Accepted', status: 'True', reason: 'InForce' }],
      },
    },
  ]);
  await clock.advance(300_000);
  expect(api.written).toHaveLength(1);
});

test('says what is wrong and what holds instead, at most twice a minute', async () => {
  put('a', allow('web'));
  await clock.advance(1_000);
  for (let generation = 2; generation < 100; generation += 1) {
    put('a', { action: 'Maybe', rules: [] }, generation);
    await clock.advance(1_000);
  }
  const times = api.written.map(({ at }) => at);
  expect(times.length).toBeLessThanOrEqual(5);
  for (const [index, at] of times.entries())
    if (index > 0) expect(at - times[index - 1]!).toBeGreaterThanOrEqual(30_000);
  const [accepted] = api.last?.conditions ?? [];
  expect(accepted).toMatchObject({ status: 'False', reason: 'Invalid' });
  expect(accepted?.message).toMatch(/spec\.action.*"Maybe".*The version before it stays in force/);
});

test('attack: very many objects at once are written bit by bit', async () => {
  for (let count = 0; count < 100; count += 1) put(`p${count}`, denyAll);
  await clock.advance(1_000);
  expect(api.written).toHaveLength(10);
  await clock.advance(15_000);
  expect(api.written).toHaveLength(100);
});

test('only the leader writes; who becomes it looks at all', async () => {
  leads.set(false);
  put('a', denyAll);
  await clock.advance(60_000);
  expect(api.written).toEqual([]);
  leads.set(true);
  await clock.advance(1_000);
  expect(api.written).toHaveLength(1);
});

test('a conflict or a refusal is tried again, no sooner than any write', async () => {
  api.answer = 409;
  put('a', denyAll);
  await clock.advance(61_000);
  expect(api.written.map(({ at }) => at)).toHaveLength(3);
  api.answer = 200;
  await clock.advance(30_000);
  expect(api.written).toHaveLength(4);
  await clock.advance(60_000);
  expect(api.written).toHaveLength(4);
});

test('a Shadow policy says whom it would deny: twenty of them and the total', async () => {
  put('a', { ...denyAll, enforcement: 'Shadow' });
  await clock.advance(1_000);
  const wouldDeny = Array.from({ length: 30 }, (_, index) => ({
    key: 'MeshPolicy shop/a',
    rule: 1,
    caller: `spiffe://mesh.test/caller-${index}`,
    port: 80,
    count: 1,
  }));
  report({ wouldDeny, plaintext: [] });
  await clock.advance(30_000);
  expect(api.last).toMatchObject({ wouldDeny: { total: 30, callers: expect.any(Array) } });
  const { callers } = (api.last?.wouldDeny ?? { callers: [] }) as { callers: object[] };
  expect(callers).toHaveLength(20);
  expect(callers[0]).toMatchObject({
    workload: 'shop/web-1',
    port: 80,
    rule: 0,
    count: 1,
    lastSeen: expect.any(String),
  });
});

test('a Permissive MeshTLS names who speaks plaintext, and is ready for Strict after a quiet time', async () => {
  put('mode', { mode: 'Permissive' }, 1, 'MeshTLS');
  await clock.advance(1_000);
  expect(api.last).toMatchObject({ readyForStrict: false });
  const seen = { address: '10.0.0.9', port: 80, passed: 1, refused: 0 };
  await clock.advance(20_000);
  report({ wouldDeny: [], plaintext: [seen] });
  await clock.advance(11_000);
  expect(api.last).toMatchObject({
    readyForStrict: false,
    plaintextPeers: { total: 1, peers: [{ address: '10.0.0.9', name: 'old.shop', workload: 'shop/web-1' }] },
  });
  await clock.advance(QUIET - 30_000);
  expect(api.last).toMatchObject({ readyForStrict: false });
  isWatched = false;
  await clock.advance(QUIET);
  expect(api.last).toMatchObject({ readyForStrict: false });
  isWatched = true;
  await clock.advance(31_000);
  expect(api.last).toMatchObject({ readyForStrict: true, plaintextPeers: { total: 1 } });
  report({ wouldDeny: [], plaintext: [seen] });
  await clock.advance(31_000);
  expect(api.last).toMatchObject({ readyForStrict: false, plaintextPeers: { total: 2 } });
  put('mode', { mode: 'Strict' }, 2, 'MeshTLS');
  await clock.advance(31_000);
  expect(api.last).not.toHaveProperty('readyForStrict');
  expect(api.last).not.toHaveProperty('plaintextPeers');
});
