import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceAccountId } from '#identity';
import type { ConnectionFacts, Decision } from './decision.ts';
import { evaluate } from './evaluate.ts';
import { EMBEDDED_DEFAULTS } from './model.ts';
import { readPolicies } from './read-policies.ts';
import { facts, policies, TRUST_DOMAIN } from './testing/arbitraries.ts';
import { contextWith, setOf, yamlOf } from './testing/sets.ts';

const orders = { namespace: 'shop', serviceAccount: 'orders', name: 'orders-1', labels: {} };
const payments = serviceAccountId(TRUST_DOMAIN, 'shop', 'payments');
const call: ConnectionFacts = { peer: payments, address: '127.0.0.1', port: 8080, workload: orders };

const POLICY = `apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata:
  name: orders-callers
  namespace: shop
spec:
  targetRef: { kind: ServiceAccount, name: orders }
  action: Allow
  rules:
    - from:
        - serviceAccounts: [{ name: web, namespace: shop }]
      to:
        - ports: [8080]
`;

describe('a denial', () => {
  it('shows nothing as it is that a terminal would act on, and suggests YAML that reads back', () => {
    const odd = '\u009b2J\u202e\u{e0001}\n';
    const workload = { ...orders, serviceAccount: odd };
    const files = [{ file: `${odd}.yaml`, text: POLICY }];
    const { set } = readPolicies(files, contextWith(), 1, [{ path: odd, directory: true }]);
    if (set === undefined) throw new Error('the policy was refused');
    for (const facts of [{ ...call, workload }, { ...call, address: odd }, call]) {
      const { explanation, edit, policy } = evaluate(set, facts);
      const shown = [
        explanation,
        edit?.file,
        edit?.say,
        policy?.file ?? '',
        edit?.snippet.replaceAll('\n', ' '),
      ];
      for (const text of shown) expect(text).not.toMatch(/\p{C}/u);
    }
    const { snippet = '' } = evaluate(set, { ...call, workload }).edit ?? {};
    expect(parse(snippet)).toMatchObject({ spec: { targetRef: { name: odd } } });
  });

  it('names the nearest policy, the condition that failed, the line of its from list, and what to paste', () => {
    const decision = evaluate(setOf(POLICY), call);
    expect(decision).toMatchObject({
      allowed: false,
      policy: { name: 'orders-callers', file: 'policies.yaml', line: 4 },
      rule: 0,
      edit: {
        file: 'policies.yaml',
        line: 10,
        action: 'add-caller',
        say: 'Add the caller to this "from" list.',
        snippet: '        - serviceAccounts: [{ name: payments, namespace: shop }]\n',
      },
    });
    expect(decision.explanation).toBe(
      'no Allow policy admits spiffe://shop.test/ns/shop/sa/payments at 127.0.0.1 to shop/orders port 8080; ' +
        'nearest is MeshPolicy shop/orders-callers rule 0 (policies.yaml:10): ' +
        'its serviceAccounts list shop/web, and the peer is shop/payments',
    );
  });

  it('points at the ports list when only the port is missing', () => {
    const web = serviceAccountId(TRUST_DOMAIN, 'shop', 'web');
    const { edit, explanation } = evaluate(setOf(POLICY), { ...call, peer: web, port: 9090 });
    expect(edit).toMatchObject({
      line: 13,
      action: 'add-port',
      snippet: '9090',
      say: expect.stringContaining('between the brackets'),
    });
    expect(explanation).toContain('its ports list 8080, and this is port 9090');
  });

  it('asks for a rule of its own when neither caller nor port is there', () => {
    const { edit } = evaluate(setOf(POLICY), { ...call, port: 9090 });
    expect(edit).toMatchObject({ line: 9, action: 'add-caller' });
    expect(allowedAfter(POLICY, edit, { ...call, port: 9090 })).toBe(true);
    // A rule of its own: the port was not opened to others, nor other ports to this caller.
    expect(allowedAfter(POLICY, edit, call)).toBe(false);
  });

  it('keeps the networks of the entry that it is modelled on', () => {
    const text = POLICY.replace(
      '        - serviceAccounts',
      '        - cidrs: [10.0.0.0/8]\n          serviceAccounts',
    );
    const { edit } = evaluate(setOf(text), { ...call, address: '10.9.9.9' });
    expect(edit?.snippet).toBe(
      '        - serviceAccounts: [{ name: payments, namespace: shop }]\n          cidrs: ["10.0.0.0/8"]\n',
    );
  });

  it('fits lists in brackets', () => {
    const text = POLICY.replace(
      '- from:\n        - serviceAccounts: [{ name: web, namespace: shop }]',
      '- from: [{ serviceAccounts: [{ name: web, namespace: shop }] }]',
    );
    const { edit } = evaluate(setOf(text), call);
    expect(edit).toMatchObject({
      line: 10,
      snippet: '{ serviceAccounts: [{ name: payments, namespace: shop }] }',
    });
    const pasted = text.replace('namespace: shop }] }]', `namespace: shop }] }, ${edit?.snippet ?? ''}]`);
    expect(evaluate(setOf(pasted), call).allowed).toBe(true);
  });

  it('gives a whole policy and its place where no Allow selects the workload', () => {
    const elsewhere = POLICY.replace('name: orders }', 'name: stock }');
    const { edit, explanation, policy } = evaluate(setOf(elsewhere), call);
    expect(policy).toBeUndefined();
    expect(edit).toMatchObject({ file: 'policies.yaml', line: undefined, action: 'add-policy' });
    expect(explanation).toContain('no Allow policy selects it; add one to policies.yaml');
    // The name that comes to mind is taken.
    expect(edit?.snippet).toContain('metadata: { name: orders-callers-2, namespace: shop }');
    expect(allowedAfter(elsewhere, edit, call)).toBe(true);
  });

  it('names a new file in the directory that was given', () => {
    const { set } = readPolicies([], contextWith(), 1, [{ path: 'policies', directory: true }]);
    expect(set && evaluate(set, call).edit).toMatchObject({
      file: 'policies/orders-callers.yaml',
      action: 'add-policy',
    });
  });

  it('says which Deny, and at which line', () => {
    const deny = POLICY.replace('action: Allow', 'action: Deny').replace('name: web', 'name: payments');
    expect(evaluate(setOf(deny), call)).toMatchObject({
      explanation:
        'MeshPolicy shop/orders-callers rule 0 (policies.yaml:10) denies spiffe://shop.test/ns/shop/sa/payments at 127.0.0.1 to shop/orders port 8080',
      edit: { line: 10, action: 'remove-denial' },
    });
  });

  it('offers a plaintext peer no line that would let plaintext in', () => {
    const set = setOf(POLICY, { tlsMode: 'Permissive', unselected: 'Deny' });
    const decision = evaluate(set, { ...call, peer: undefined });
    expect(decision).toMatchObject({ reason: { code: 'no-identity' }, edit: undefined });
    expect(decision.explanation).toContain('serviceAccounts cannot be told of a peer without identity');
  });

  it('stays short however long a list is', () => {
    const many = Array.from({ length: 200 }, (_, index) => `{ name: a${index}, namespace: shop }`).join(', ');
    const { explanation } = evaluate(setOf(POLICY.replace('{ name: web, namespace: shop }', many)), call);
    expect(explanation).toContain('list shop/a0, shop/a1, shop/a2 and 197 more');
    expect(explanation.length).toBeLessThan(400);
  });

  it('allows exactly what it was asked for, once its suggestion is pasted', () => {
    fc.assert(
      fc.property(policies, facts, (raw, connection) => {
        const text = yamlOf(raw);
        const decision = evaluate(setOf(text), connection);
        const { edit } = decision;
        fc.pre(edit !== undefined && edit.action !== 'remove-denial');
        expect(allowedAfter(text, edit, connection)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });
});

/** Does what the edit says to a file in block style. */
function allowedAfter(text: string, edit: Decision['edit'], connection: ConnectionFacts): boolean {
  if (edit === undefined) throw new Error('no edit was suggested');
  const lines = text.split('\n');
  if (edit.line === undefined) lines.push(edit.snippet);
  else lines.splice(edit.line, 0, edit.snippet.trimEnd());
  return evaluate(setOf(lines.join('\n'), EMBEDDED_DEFAULTS), connection).allowed;
}
