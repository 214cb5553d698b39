import { beforeEach, expect, test } from 'vitest';
import { silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { ClusterPolicies } from './cluster-policies.ts';
import { Observations, type Report } from './observations.ts';
import { denyAll, object, WEB } from './testing.ts';

const SHADOW = 'MeshPolicy shop/shadow';
const MODE = 'MeshTLS shop/mode';
const CALLER = 'spiffe://mesh.test/ns/shop/sa/batch';

let clock: FakeClock;
let policies: ClusterPolicies;
let observations: Observations;

beforeEach(() => {
  clock = new FakeClock();
  policies = new ClusterPolicies({
    trustDomain: 'mesh.test',
    rootNamespace: 'sallyport-system',
    defaults: undefined,
    log: silentLog,
  });
  policies.apply('MeshPolicy', 'shop/shadow', object('shadow', { ...denyAll, enforcement: 'Shadow' }));
  policies.apply('MeshPolicy', 'shop/enforced', object('enforced', denyAll));
  policies.apply('MeshTLS', 'shop/mode', object('mode', { mode: 'Permissive' }));
  observations = new Observations(policies, clock);
});

function denied(row: Partial<Report['wouldDeny'][number]> = {}): Report {
  return { wouldDeny: [{ key: SHADOW, rule: 1, caller: CALLER, port: 80, count: 1, ...row }], plaintext: [] };
}

function plaintext(row: Partial<Report['plaintext'][number]> = {}): Report {
  return { wouldDeny: [], plaintext: [{ address: '10.0.0.9', port: 80, passed: 1, refused: 0, ...row }] };
}

function take(report: Report, workload = WEB): void {
  observations.take(workload, policies.shareOf(workload), report);
}

test('counts who would be denied, by rule, and who spoke plaintext, by the MeshTLS that decides the port', () => {
  take(denied({ count: 2 }));
  take(denied({ count: 3 }));
  take(plaintext({ passed: 4, refused: 1 }));
  expect(observations.of(SHADOW)).toMatchObject({
    total: 5,
    rows: [{ caller: CALLER, workload: 'shop/web-1', port: 80, rule: 0, count: 5 }],
  });
  expect(observations.of(MODE)).toMatchObject({ total: 5, rows: [{ caller: '10.0.0.9', count: 5 }] });
});

test.each([
  ['of a policy that it was not told', denied({ key: 'MeshPolicy pay/shadow' })],
  ['of a policy that is no Shadow', denied({ key: 'MeshPolicy shop/enforced' })],
  ['of a MeshTLS', denied({ key: MODE })],
  ['of a rule that there is not', denied({ rule: 2 })],
  ['a caller that is nobody', denied({ caller: '\u001b[31mroot' })],
  ['a port that there is not', denied({ port: 70_000 })],
  ['no connection', denied({ count: 0 })],
  ['more connections than there can be', denied({ count: Number.MAX_SAFE_INTEGER })],
  ['an address that is none', plaintext({ address: 'localhost' })],
])('attack: a sidecar reports %s', (_, report) => {
  take(report);
  expect([observations.of(SHADOW), observations.of(MODE)]).toEqual([undefined, undefined]);
});

test('attack: a sidecar that makes up callers crowds out its own, and not those of another', () => {
  take(denied(), { ...WEB, name: 'honest' });
  for (let count = 0; count < 5_000; count += 1)
    take(denied({ caller: `spiffe://mesh.test/made-up-${count}` }), { ...WEB, name: 'liar' });
  const { rows = [], total } = observations.of(SHADOW) ?? {};
  expect(rows).toHaveLength(21);
  expect(rows.slice(0, 2).map(({ workload }) => workload)).toContain('shop/honest');
  expect(total).toBe(5_001);
});

test('attack: rows of one report beyond the bound are left out', () => {
  const [row] = denied().wouldDeny;
  take({ wouldDeny: Array.from({ length: 10_000 }, () => row!), plaintext: [] });
  expect(observations.of(SHADOW)?.total).toBe(256);
});

test('begins anew with another version of the object, and goes on from what was written of this one', () => {
  take(denied());
  policies.apply(
    'MeshPolicy',
    'shop/shadow',
    object('shadow', { ...denyAll, enforcement: 'Shadow' }, { generation: 2 }),
  );
  expect(observations.of(SHADOW)).toBeUndefined();
  const status = { observedGeneration: 3, wouldDeny: { total: 40 } };
  const written = { ...object('shadow', { ...denyAll, enforcement: 'Shadow' }, { generation: 3 }), status };
  policies.apply('MeshPolicy', 'shop/shadow', written);
  take(denied());
  expect(observations.of(SHADOW)?.total).toBe(41);
  policies.apply('MeshPolicy', 'shop/shadow', undefined);
  expect(observations.of(SHADOW)).toBeUndefined();
});
