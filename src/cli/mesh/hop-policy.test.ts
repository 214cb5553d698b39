import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EMBEDDED_DEFAULTS, type PolicySet, readPolicies } from '#policy';
import { Watch } from '#runtime';
import { parseMeshFile } from '../mesh-file/parse.ts';
import { HopPolicy, policyService } from './hop-policy.ts';
import { ROOT_NAMESPACE } from './policies.ts';

/** The shop as it is handed out: what its README promises is held here. */
const SHOP = 'examples/shop';
const PAYMENTS = `${SHOP}/policies/payments.yaml`;
const web = { from: 'web', to: 'payments' };
const orders = { from: 'orders', to: 'payments' };

function shop(change: (payments: string) => string = (text) => text, epoch = 1): PolicySet {
  const files = ['orders', 'payments'].map((name) => {
    const file = `${SHOP}/policies/${name}.yaml`;
    const text = readFileSync(file, 'utf8');
    return { file, text: name === 'payments' ? change(text) : text };
  });
  const context = { defaults: EMBEDDED_DEFAULTS, trustDomain: 'shop.example', rootNamespace: ROOT_NAMESPACE };
  const { set, problems } = readPolicies(files, context, epoch, [
    { path: `${SHOP}/policies`, directory: true },
  ]);
  if (set === undefined) throw new Error(JSON.stringify(problems));
  return set;
}

function hopPolicy(policies: Watch<PolicySet>): HopPolicy {
  const file = resolve(SHOP, 'mesh.yaml');
  const mesh = parseMeshFile(file, readFileSync(file, 'utf8'));
  if (!mesh.ok) throw new Error(JSON.stringify(mesh.error));
  return new HopPolicy(
    new Map(mesh.value.services.map((entry) => [entry.name, policyService(mesh.value, entry)])),
    policies,
  );
}

test('in the shop web may call orders, orders may call payments, and web may not call payments', () => {
  const policy = hopPolicy(new Watch(shop()));
  expect(policy.expect([{ from: 'web', to: 'orders' }, orders])).toEqual({ epoch: 1, forbidden: [] });
  expect(policy.expect([orders, web])).toEqual({ epoch: 1, forbidden: [web] });
});

test('the denial names the file and the line to edit, and shows the line', () => {
  const denial = hopPolicy(new Watch(shop())).denial(web);
  expect(denial?.edit).toMatchObject({ file: PAYMENTS, text: '    - from:' });
  const lines = readFileSync(PAYMENTS, 'utf8').split('\n');
  expect(lines[(denial?.edit?.line ?? 0) - 1]).toBe('    - from:');
  expect(denial?.edit?.snippet.join()).toContain('serviceAccounts: [{ name: web, namespace: default }]');
});

test('taking the # away, as the file says, permits web and changes nothing else', () => {
  const uncomment = (text: string): string => text.replace('# - serviceAccounts', '- serviceAccounts');
  const policies = new Watch(shop());
  const policy = hopPolicy(policies);
  policies.set(shop(uncomment, 2));
  expect(policy.denial(web)).toBeUndefined();
  expect(policy.expect([orders, web, { from: 'web', to: 'orders' }])).toEqual({ epoch: 2, forbidden: [] });
});

test('pasting what the denial suggests below the line that it names permits web too', () => {
  const { edit } = hopPolicy(new Watch(shop())).denial(web) ?? {};
  const paste = (text: string): string => {
    const lines = text.split('\n');
    lines.splice(edit?.line ?? 0, 0, ...(edit?.snippet ?? []));
    return lines.join('\n');
  };
  expect(hopPolicy(new Watch(shop(paste, 2))).denial(web)).toBeUndefined();
});
