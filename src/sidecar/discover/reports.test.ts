import { expect, test } from 'vitest';
import { type ConnectionFacts, type Decision, POLICY_REASONS } from '#policy';
import { Reports } from './reports.ts';

const FACTS: ConnectionFacts = {
  peer: {
    trustDomain: 'mesh.test',
    path: '/ns/shop/sa/web',
    toString: () => 'spiffe://mesh.test/ns/shop/sa/web',
  },
  address: '10.0.0.9',
  port: 80,
  workload: { namespace: 'shop', serviceAccount: 'orders', name: 'orders-1', labels: {} },
};
const PLAINTEXT: ConnectionFacts = { ...FACTS, peer: undefined };

function decision(shadow: Partial<Decision['shadow'][number]>[] = [], allowed = true): Decision {
  const policy = { kind: 'MeshPolicy', namespace: 'shop', name: 'p', file: 'the cluster', line: 1 };
  return {
    ...{
      allowed,
      reason: POLICY_REASONS['allowed-by-default'],
      policy: undefined,
      rule: undefined,
      explanation: '',
    },
    ...{ edit: undefined, allowedIfShadowEnforced: true, epoch: 1 },
    shadow: shadow.map((one) => ({ policy, rule: undefined, outcome: 'would-deny', changes: true, ...one })),
  };
}

test('tells what a Shadow policy would have refused, and nothing that it would not', () => {
  const reports = new Reports();
  reports.count(decision([{ rule: 2 }, {}, { outcome: 'would-allow' }, { changes: false }]), FACTS);
  reports.count(decision([{ rule: 2 }]), FACTS);
  const row = { key: 'MeshPolicy shop/p', caller: 'spiffe://mesh.test/ns/shop/sa/web', port: 80 };
  expect(reports.take()).toEqual({
    wouldDeny: [
      { ...row, rule: 3, count: 2 },
      { ...row, rule: 0, count: 1 },
    ],
    plaintext: [],
  });
  expect(reports.take()).toBeUndefined();
});

test('tells who spoke plaintext, passed or refused', () => {
  const reports = new Reports();
  for (const allowed of [true, false, true]) reports.count(decision([], allowed), PLAINTEXT);
  reports.count(decision(), FACTS);
  expect(reports.take()?.plaintext).toEqual([{ address: '10.0.0.9', port: 80, passed: 2, refused: 1 }]);
});

test('attack: very many callers and ports are counted together', () => {
  const reports = new Reports();
  for (let count = 1; count <= 5_000; count += 1)
    reports.count(decision([{}]), {
      ...PLAINTEXT,
      address: `10.0.${count >> 8}.${count & 255}`,
      port: 1 + (count % 500),
    });
  const { plaintext = [], wouldDeny = [] } = reports.take() ?? {};
  expect(plaintext.length).toBeLessThanOrEqual(128);
  expect(wouldDeny.length).toBeLessThanOrEqual(128);
  expect(plaintext.some(({ address }) => address === '')).toBe(true);
});
