import { describe, expect, it } from 'vitest';
import { formatProblem } from '../crd/problem.ts';
import { readPolicies } from '../read-policies.ts';
import { contextWith } from '../testing/sets.ts';

function document(kind: string, name: string, spec: string, namespace = 'shop'): string {
  return `---\napiVersion: mesh.sallyport.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n`;
}

function check(...texts: readonly string[]): { readonly good: boolean; readonly lines: readonly string[] } {
  const files = texts.map((text, index) => ({ file: `${index}.yaml`, text }));
  const { set, problems } = readPolicies(files, contextWith(), 1, []);
  return { good: set !== undefined, lines: problems.map(formatProblem) };
}

const NOBODY = '{ action: Allow, rules: [] }';

describe('names', () => {
  it('are taken once, across files, and both places are named', () => {
    expect(check(document('MeshPolicy', 'a', NOBODY), document('MeshPolicy', 'a', NOBODY))).toEqual({
      good: false,
      lines: [
        '1.yaml:4:13: error: metadata.name: has the name of another MeshPolicy, which stands at 0.yaml:4 (MeshPolicy shop/a)',
      ],
    });
  });

  it('may be the same in another namespace, or for another kind', () => {
    const others = [document('MeshPolicy', 'a', NOBODY, 'pay'), document('MeshTLS', 'a', '{ mode: Strict }')];
    expect(check(document('MeshPolicy', 'a', NOBODY), ...others)).toEqual({ good: true, lines: [] });
  });
});

it('a service account cannot be named from the root namespace', () => {
  const spec = '{ targetRef: { kind: ServiceAccount, name: web }, action: Allow, rules: [] }';
  const { good, lines } = check(document('MeshPolicy', 'a', spec, 'sallyport-system'));
  expect(good).toBe(false);
  expect(lines).toEqual([
    expect.stringMatching(
      /^0\.yaml:5:9: error: spec\.targetRef: names a service account, but sallyport-system is the root/,
    ),
  ]);
});

describe('an entry that no identity can meet', () => {
  const from = (entry: string): string =>
    document('MeshPolicy', 'a', `{ action: Deny, rules: [{ from: [{ peer: Any }, { ${entry} }] }] }`);

  it.each([
    'serviceAccounts: [{ name: web, namespace: shop }], namespaces: [pay]',
    'identities: ["spiffe://shop.test/ns/shop/sa/web"], serviceAccounts: [{ name: orders, namespace: shop }]',
    'identities: ["spiffe://shop.test/robot"], namespaces: [shop]',
    'identities: ["spiffe://shop.test/robot"], trustDomains: [partner.test]',
    'identities: ["spiffe://partner.test/ns/shop/sa/web"], namespaces: [shop]',
  ])('is a warning: %s', (entry) => {
    const { good, lines } = check(from(entry));
    expect(good).toBe(true);
    expect(lines).toEqual([
      expect.stringMatching(
        /^0\.yaml:5:\d+: warning: spec\.rules\[0\]\.from\[1\]: asks for an identity that nobody can have/,
      ),
    ]);
  });

  it.each([
    'serviceAccounts: [{ name: web, namespace: shop }], namespaces: [shop, pay]',
    'serviceAccounts: [{ name: web, namespace: shop }], trustDomains: [partner.test]',
    'identities: ["spiffe://partner.test/ns/shop/sa/web"], namespaces: [shop], trustDomains: [partner.test]',
    'namespaces: [shop], trustDomains: [partner.test], labels: { app: web }, cidrs: [10.0.0.0/8]',
  ])('is none: %s', (entry) => {
    expect(check(from(entry)).lines).toEqual([]);
  });
});

describe('MeshTLS that may hold for the same workload and disagree', () => {
  const web = 'targetRef: { kind: ServiceAccount, name: web }';
  const labels = (value: string): string => `selector: { matchLabels: { app: ${value} } }`;

  it.each([
    ['{ mode: Strict }', '{ mode: Permissive }'],
    [`{ ${web}, mode: Strict }`, `{ ${web}, mode: Permissive }`],
    [`{ ${web}, mode: Strict }`, `{ ${labels('a')}, mode: Permissive }`],
    [
      `{ ${labels('a')}, ports: [{ port: 1, mode: Strict }] }`,
      `{ ${labels('a')}, ports: [{ port: 1, mode: Disabled }] }`,
    ],
  ])('are a warning: %s and %s', (one, other) => {
    const { good, lines } = check(document('MeshTLS', 'a', one), document('MeshTLS', 'b', other));
    expect(good).toBe(true);
    expect(lines).toEqual([
      expect.stringMatching(
        /^1\.yaml:5:\d+: warning: spec: may hold for the same workload as MeshTLS shop\/a \(0\.yaml:4\)/,
      ),
    ]);
  });

  it.each([
    ['{ mode: Strict }', '{ mode: Strict }'],
    ['{ mode: Strict }', `{ ${web}, mode: Permissive }`],
    [`{ ${labels('a')}, mode: Strict }`, `{ ${labels('b')}, mode: Permissive }`],
    [`{ ${web}, mode: Strict }`, `{ ${web}, ports: [{ port: 1, mode: Disabled }] }`],
  ])('are none: %s and %s', (one, other) => {
    expect(check(document('MeshTLS', 'a', one), document('MeshTLS', 'b', other)).lines).toEqual([]);
  });
});
