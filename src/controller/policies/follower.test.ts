import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { evaluate, type PolicySet, type Workload } from '#policy';
import type { DiscoveryResponse__Output } from '#rpc';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { ToldPolicies } from '#sidecar';
import { ClusterPolicies } from './cluster-policies.ts';
import { type Follower, Followers } from './follower.ts';
import { Observations } from './observations.ts';
import { allow, denyAll, object, WEB } from './testing.ts';

const CONTEXT = {
  trustDomain: 'mesh.test',
  rootNamespace: 'sallyport-system',
  defaults: { tlsMode: 'Permissive', unselected: 'AllowAuthenticated' },
} as const;
const clock = new FakeClock();
const POD = { podUid: 'web-uid', namespace: 'shop' };

let policies: ClusterPolicies;
let workload: Workload | undefined;
let followers: Followers;

beforeEach(() => {
  policies = new ClusterPolicies({ ...CONTEXT, log: silentLog });
  workload = WEB;
  followers = new Followers({
    policies,
    observations: new Observations(policies, clock),
    workloadOf: (uid) => (uid === POD.podUid ? workload : undefined),
  });
});

type Policies = NonNullable<DiscoveryResponse__Output['policies']>;

/** As it arrives, with every field. */
function next(follower: Follower): Policies | undefined {
  return follower.next()?.policies as Policies | undefined;
}

function follow(known = '', onChange = (): void => undefined): Follower {
  return followers.follow(POD, known, onChange);
}

test('tells everything first, then what changed, and nothing twice', () => {
  policies.apply('MeshPolicy', 'shop/a', object('a', denyAll));
  const follower = follow();
  const first = next(follower);
  expect(first).toMatchObject({ since: '', changed: [{ key: 'MeshPolicy shop/a' }], removed: [] });
  expect(next(follower)).toBeUndefined();
  policies.apply('MeshPolicy', 'shop/b', object('b', denyAll));
  policies.apply('MeshPolicy', 'shop/a', undefined);
  expect(next(follower)).toMatchObject({
    since: first?.version,
    changed: [{ key: 'MeshPolicy shop/b' }],
    removed: ['MeshPolicy shop/a'],
  });
  follower.touch();
  expect(next(follower)).toBeUndefined();
});

test('who comes back with what holds is told nothing of it again, from whichever replica', () => {
  policies.apply('MeshPolicy', 'shop/a', object('a', denyAll));
  const version = next(follow())?.version ?? '';
  expect(next(follow(version))).toMatchObject({ since: version, version, changed: [], removed: [] });
  expect(next(follow('another'))).toMatchObject({ since: '', changed: [{ key: 'MeshPolicy shop/a' }] });
});

test('attack: a policy of one namespace moves no sidecar of another', () => {
  let changes = 0;
  const follower = follow('', () => (changes += 1));
  next(follower);
  for (let count = 0; count < 100; count += 1)
    policies.apply(
      'MeshPolicy',
      'evil/p',
      object('p', count % 2 ? denyAll : allow('web'), { namespace: 'evil' }),
    );
  expect(changes).toBe(0);
  policies.apply('MeshPolicy', 'sallyport-system/p', object('p', denyAll, { namespace: 'sallyport-system' }));
  expect(changes).toBe(1);
});

test("attack: a certificate's pod that says another namespace now is told nothing", () => {
  policies.apply('MeshPolicy', 'shop/a', object('a', denyAll));
  workload = { ...WEB, namespace: 'pay' };
  expect(next(follow())).toBeUndefined();
});

test('waits until the pod is known, and follows its labels', () => {
  policies.apply(
    'MeshPolicy',
    'shop/a',
    object('a', { selector: { matchLabels: { app: 'other' } }, ...denyAll }),
  );
  workload = undefined;
  const follower = follow();
  expect(next(follower)).toBeUndefined();
  workload = WEB;
  followers.podChanged(POD.podUid);
  expect(next(follower)).toMatchObject({ changed: [], circumstances: { labels: { app: 'web' } } });
  workload = { ...WEB, labels: { app: 'other' } };
  followers.podChanged(POD.podUid);
  expect(next(follower)).toMatchObject({
    changed: [{ key: 'MeshPolicy shop/a' }],
    circumstances: { labels: { app: 'other' } },
  });
});

test('a stream that is gone costs nothing', () => {
  const follower = follow();
  expect(followers.size).toBe(1);
  follower.close();
  expect(followers.size).toBe(0);
});

describe('a sidecar', () => {
  function sidecar(): { told: ToldPolicies; scope: Scope } {
    const told = new ToldPolicies({ ...CONTEXT, workload: { ...WEB, labels: {} }, log: silentLog });
    const scope = new Scope('test', (error) => expect.fail(String(error)));
    told.run(scope);
    return { told, scope };
  }

  function admits(set: PolicySet, account: string): boolean {
    const peer = { trustDomain: 'mesh.test', path: `/ns/shop/sa/${account}` };
    return evaluate(set, { peer, address: '10.0.0.1', port: 80, workload: WEB }).allowed;
  }

  test('lets nobody in before the first word, and keeps the last one', async () => {
    const { told, scope } = sidecar();
    expect([told.policies.value.epoch, admits(told.policies.value, 'orders')]).toEqual([0, false]);
    const follower = follow(told.begin());
    expect(told.take(next(follower)!)).toBeUndefined();
    await expect.poll(() => told.policies.value.epoch).toBe(1);
    expect(admits(told.policies.value, 'orders')).toBe(true);
    policies.apply(
      'MeshPolicy',
      'shop/a',
      object('a', { selector: { matchLabels: { app: 'web' } }, ...allow('orders') }),
    );
    told.take(next(follower)!);
    await expect.poll(() => told.policies.value.epoch).toBe(2);
    expect([admits(told.policies.value, 'orders'), admits(told.policies.value, 'pay')]).toEqual([
      true,
      false,
    ]);
    await scope.close();
    expect(admits(told.policies.value, 'orders')).toBe(true);
  });

  test('attack: a change that was not told whole, or is not the whole it says, is not taken', async () => {
    const { told, scope } = sidecar();
    policies.apply('MeshPolicy', 'shop/a', object('a', denyAll));
    const follower = follow();
    const first = next(follower)!;
    expect(told.take({ ...first, changed: [] })).toBeUndefined();
    expect(told.take({ ...first, since: 'unknown' })).toContain('not told');
    told.take(first);
    await expect.poll(() => told.policies.value.epoch).toBe(1);
    policies.apply('MeshPolicy', 'shop/b', object('b', allow('web')));
    const change = next(follower)!;
    expect(told.take({ ...change, changed: [] })).toContain('not the whole');
    expect(told.take({ ...change, removed: ['MeshPolicy shop/a'] })).toContain('not the whole');
    expect(told.policies.value.epoch).toBe(1);
    follower.forget();
    told.take(next(follower)!);
    await expect.poll(() => told.policies.value.documents.length).toBe(2);
    await scope.close();
  });

  test('has, after any changes, lost messages and new streams, what the controller means', async () => {
    const change = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      spec: fc.constantFrom(
        undefined,
        denyAll,
        allow('web'),
        allow('orders'),
        { selector: { matchLabels: { app: 'web' } }, ...denyAll },
        { action: 'Maybe' },
      ),
      namespace: fc.constantFrom('shop', 'shop', 'sallyport-system', 'pay'),
      act: fc.constantFrom('tell', 'tell', 'wait', 'break', 'relabel'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        policies = new ClusterPolicies({ ...CONTEXT, log: silentLog });
        followers = new Followers({
          policies,
          observations: new Observations(policies, clock),
          workloadOf: () => workload,
        });
        workload = WEB;
        const { told, scope } = sidecar();
        let follower = follow(told.begin());
        for (const { name, namespace, spec, act } of changes) {
          const is = spec === undefined ? undefined : object(name, spec, { namespace });
          policies.apply('MeshPolicy', `${namespace}/${name}`, is);
          if (act === 'wait') continue;
          if (act === 'break') {
            follower.close();
            follower = follow(told.begin());
          }
          if (act === 'relabel') {
            workload = { ...WEB, labels: workload?.labels.app === 'web' ? {} : { app: 'web' } };
            followers.podChanged(POD.podUid);
          }
          const said = next(follower);
          if (said !== undefined) expect(told.take(said)).toBeUndefined();
        }
        follower.touch();
        const said = next(follower);
        if (said !== undefined) told.take(said);
        const share = policies.shareOf(workload);
        await expect.poll(() => told.version, { interval: 1 }).toBe(share.version);
        expect(told.policies.value.documents.map(({ metadata }) => metadata.name).sort()).toEqual(
          [...share.objects.values()].map(({ document }) => document.metadata.name).sort(),
        );
        await scope.close();
      }),
      { numRuns: 60 },
    );
  });
});
