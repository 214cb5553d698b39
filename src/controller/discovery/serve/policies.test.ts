import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Refusal } from '#handshake';
import type { DiscoveryRequest__Output, DiscoveryResponse } from '#rpc';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { ClusterPolicies } from '../../policies/cluster-policies.ts';
import { Followers } from '../../policies/follower.ts';
import { Observations } from '../../policies/observations.ts';
import { denyAll, object, WEB } from '../../policies/testing.ts';
import { cidr } from '../../testing/cidr.ts';
import { Cluster } from '../cluster.ts';
import type { ApiObjects } from '../watch/api-objects.ts';
import { Hub } from './hub.ts';
import type { Session } from './session.ts';

let clock: FakeClock;
let scope: Scope;
let policies: ClusterPolicies;
let hub: Hub;
let said: DiscoveryResponse[];
let reads: boolean;
let ended: Refusal | undefined;
let session: Session;
const failures: unknown[] = [];

/** A cluster in which nothing is, and nothing happens. */
const EMPTY: ApiObjects = {
  list: () => Promise.resolve({ items: [], resourceVersion: '1', next: undefined }),
  async *watch(_path, _query, signal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield* [];
  },
};

beforeEach(async () => {
  clock = new FakeClock();
  scope = new Scope('test', (error) => failures.push(error));
  const parts = { clock, log: silentLog };
  policies = new ClusterPolicies({
    ...{ trustDomain: 'mesh.test', rootNamespace: 'sallyport-system', defaults: undefined, log: silentLog },
  });
  const observations = new Observations(policies, clock);
  const followers = new Followers({ policies, observations, workloadOf: () => WEB });
  const networks = [cidr('10.1.0.0/16')];
  const cluster = new Cluster({ ...parts, api: EMPTY, clusterNetworks: networks, random: () => 0 });
  hub = new Hub({ ...parts, cluster, followers, trustDomain: 'mesh.test' });
  hub.run(scope);
  cluster.run(scope);
  await clock.advance(0);
  said = [];
  reads = true;
  ended = undefined;
  const outlet = {
    write(response: DiscoveryResponse): boolean {
      said.push(response);
      return reads;
    },
    end(refusal: Refusal): void {
      ended = refusal;
    },
  };
  session = hub.open(outlet, 'web', { podUid: 'web-uid', namespace: 'shop' });
});
afterEach(async () => {
  await scope.close();
  expect(failures.splice(0)).toEqual([]);
});

function send(request: object): void {
  const [name] = Object.keys(request);
  session.receive({ ...request, request: name } as DiscoveryRequest__Output);
}

function start(known: string | undefined): void {
  const seen = { pods: 0, services: 0, endpointslices: 0, nodes: 0, meshpolicies: 0, meshtlses: 0 };
  send({ start: { seen, policies: known === undefined ? null : { version: known } } });
}

async function put(name: string): Promise<void> {
  policies.apply('MeshPolicy', `shop/${name}`, object(name, denyAll));
  await clock.advance(100);
}

/** What was said since, of policies: which were told. */
function told(): string[][] {
  return said
    .splice(0)
    .flatMap(({ policies: one }) => (one ? [(one.changed ?? []).map(({ key = '' }) => key)] : []));
}

test('a sidecar that asks is told its policies after the networks, and one that does not is told none', async () => {
  await put('a');
  start('');
  expect(said.map((response) => Object.keys(response)[0])).toEqual(['networks', 'policies']);
  expect(told()).toEqual([['MeshPolicy shop/a']]);
  await put('b');
  expect(told()).toEqual([['MeshPolicy shop/b']]);
});

test('one of an older version is told none', async () => {
  start(undefined);
  await put('a');
  expect(told()).toEqual([]);
});

test('a slow reader is told what holds when it reads, in one message', async () => {
  start('');
  told();
  reads = false;
  await put('a');
  await put('b');
  await put('c');
  expect(told()).toEqual([['MeshPolicy shop/a']]);
  reads = true;
  session.drained();
  expect(told()).toEqual([['MeshPolicy shop/b', 'MeshPolicy shop/c']]);
});

test('who could not use a change is told everything', async () => {
  await put('a');
  start('');
  await put('b');
  told();
  send({ reject: { key: null, version: '', detail: 'what was told is not the whole' } });
  await clock.advance(100);
  expect(said).toMatchObject([{ policies: { since: '' } }]);
  expect(told()).toEqual([['MeshPolicy shop/a', 'MeshPolicy shop/b']]);
});

test('attack: a flood of reports ends the stream', async () => {
  start('');
  const plaintext = Array.from({ length: 500 }, () => ({
    address: '10.1.0.9',
    port: 80,
    passed: 1,
    refused: 0,
  }));
  for (let count = 0; count < 40; count += 1) send({ report: { wouldDeny: [], plaintext } });
  expect(ended?.reason.code).toBe('discovery-too-many-requests');
});

test('a stream that ended is followed no more', async () => {
  start('');
  session.close();
  told();
  await put('a');
  expect(told()).toEqual([]);
});
