import fc from 'fast-check';
import { parseSpiffeId, type SpiffeId, serviceAccountId } from '#identity';
import type { ConnectionFacts } from '../decision.ts';
import type { PolicyDefaults } from '../model.ts';
import type { RawEntry, RawPolicy, RawRule, RawTls } from './naive-evaluator.ts';

/** A world so small that generated policies and connections meet each other often. */
export const TRUST_DOMAIN = 'shop.test';
export const ROOT_NAMESPACE = 'sallyport-system';

const NAMESPACES = ['shop', 'pay', ROOT_NAMESPACE];
const ACCOUNTS = ['web', 'orders', '123'];
const TRUST_DOMAINS = [TRUST_DOMAIN, 'partner.test'];
const PORTS = [80, 8080, 9090];
const CIDRS = ['10.0.0.0/8', '10.1.0.0/16', '127.0.0.1/32', '0.0.0.0/0', '::/0', '2001:db8::/32'];
const ADDRESSES = [
  '10.1.2.3',
  '10.200.0.1',
  '127.0.0.1',
  '::ffff:10.1.2.3',
  '2001:db8::7',
  'fe80::1%eth0',
  'unix',
];

const namespace = fc.constantFrom(...NAMESPACES);
const account = fc.constantFrom(...ACCOUNTS);
const trustDomain = fc.constantFrom(...TRUST_DOMAINS);
const port = fc.constantFrom(...PORTS);
const labels = fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('a', 'b'), { maxKeys: 2 });
const someLabels = labels.filter((value) => Object.keys(value).length > 0);

const identity = fc.oneof(
  fc.tuple(trustDomain, namespace, account).map((parts) => serviceAccountId(...parts)),
  trustDomain.map((domain) => parsed(`spiffe://${domain}/robot`)),
);

function parsed(text: string): SpiffeId {
  const id = parseSpiffeId(text);
  if (!id.ok) throw new Error(id.error);
  return id.value;
}

function some<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.uniqueArray(values, { minLength: 1, maxLength: 3, selector: (value) => JSON.stringify(value) });
}

const conditions = fc.record({
  peer: fc.constant('Authenticated' as const),
  identities: some(identity.map(String)),
  serviceAccounts: some(fc.record({ name: account, namespace })),
  namespaces: some(namespace),
  trustDomains: some(trustDomain),
  labels: someLabels,
  cidrs: some(fc.constantFrom(...CIDRS)),
});
const FIELDS = [
  'peer',
  'identities',
  'serviceAccounts',
  'namespaces',
  'trustDomains',
  'labels',
  'cidrs',
] as const;

const entry: fc.Arbitrary<RawEntry> = fc.oneof(
  // Few fields at once: entries of many are met by nobody, and then no field of them is tested.
  {
    weight: 3,
    arbitrary: fc
      .tuple(conditions, fc.subarray([...FIELDS], { minLength: 1, maxLength: 2 }))
      .map(([all, fields]) => Object.fromEntries(fields.map((field) => [field, all[field]])) as RawEntry),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        peer: fc.constantFrom('Any' as const, 'Unauthenticated' as const),
        cidrs: some(fc.constantFrom(...CIDRS)),
      },
      { requiredKeys: ['peer'] },
    ),
  },
);

const rule: fc.Arbitrary<RawRule> = fc.record(
  {
    from: fc.array(entry, { minLength: 1, maxLength: 3 }),
    to: fc.array(fc.record({ ports: some(port) }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ['from'] },
);

const targets = fc.record({ targetRef: account, selector: someLabels }, { requiredKeys: [] });

/** A target that is valid for the namespace: at most one of the two, and no service account in the root namespace. */
function targetIn(
  where: string,
  { targetRef, selector }: { targetRef?: string; selector?: Record<string, string> },
): Pick<RawPolicy['spec'], 'targetRef' | 'selector'> {
  if (targetRef !== undefined && where !== ROOT_NAMESPACE)
    return { targetRef: { kind: 'ServiceAccount', name: targetRef } };
  return selector === undefined ? {} : { selector: { matchLabels: selector } };
}

const policy = fc
  .record({
    where: namespace,
    target: targets,
    action: fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const),
    enforcement: fc.constantFrom('Enforce' as const, 'Enforce' as const, 'Shadow' as const),
    rules: fc.array(rule, { maxLength: 3 }),
  })
  .filter(({ action, rules }) => action === 'Allow' || rules.length > 0)
  .map(({ where, target, ...spec }) => ({ where, spec: { ...targetIn(where, target), ...spec } }));

export const policies: fc.Arbitrary<RawPolicy[]> = fc
  .array(policy, { maxLength: 6 })
  .map((all) => all.map(({ where, spec }, index) => policyNamed(`p${index}`, where, spec)));

export function policyNamed(name: string, where: string, spec: RawPolicy['spec']): RawPolicy {
  return {
    apiVersion: 'mesh.sallyport.dev/v1alpha1',
    kind: 'MeshPolicy',
    metadata: { name, namespace: where },
    spec,
  };
}

const mode = fc.constantFrom('Strict' as const, 'Permissive' as const, 'Disabled' as const);

const tls = fc
  .record({
    where: namespace,
    target: targets,
    mode: fc.option(mode, { nil: undefined }),
    ports: fc.uniqueArray(fc.record({ port, mode }), { maxLength: 2, selector: (entry) => entry.port }),
  })
  .filter((value) => value.mode !== undefined || value.ports.length > 0);

export const tlsDocuments: fc.Arbitrary<RawTls[]> = fc.array(tls, { maxLength: 5 }).map((all) =>
  all.map(({ where, target, mode: wanted, ports }, index) => ({
    apiVersion: 'mesh.sallyport.dev/v1alpha1',
    kind: 'MeshTLS',
    metadata: { name: `t${index}`, namespace: where },
    spec: {
      ...targetIn(where, target),
      ...(wanted === undefined ? {} : { mode: wanted }),
      ...(ports.length === 0 ? {} : { ports }),
    },
  })),
);

export const facts: fc.Arbitrary<ConnectionFacts> = fc
  .record({
    peer: fc.option(identity, { nil: undefined }),
    peerLabels: fc.option(labels, { nil: undefined }),
    address: fc.constantFrom(...ADDRESSES),
    port,
    workload: fc.record({ namespace, serviceAccount: account, name: fc.constant('w'), labels }),
  })
  .map(({ peerLabels, ...rest }) => (peerLabels === undefined ? rest : { ...rest, peerLabels }));

export const defaults: fc.Arbitrary<PolicyDefaults> = fc.record({
  tlsMode: mode,
  unselected: fc.constantFrom('Deny' as const, 'AllowAuthenticated' as const),
});
