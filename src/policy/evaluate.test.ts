import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpiffeId, type SpiffeId, serviceAccountId } from '#identity';
import type { ConnectionFacts, Decision } from './decision.ts';
import { evaluate } from './evaluate.ts';
import type { PolicyDefaults } from './model.ts';
import { POLICY_REASONS } from './reasons.ts';
import { defaults, facts, policies, policyNamed, TRUST_DOMAIN, tlsDocuments } from './testing/arbitraries.ts';
import { naiveEvaluate, type RawPolicy, type RawTls } from './testing/naive-evaluator.ts';
import { setOf, yamlOf } from './testing/sets.ts';

const OPEN: PolicyDefaults = { tlsMode: 'Permissive', unselected: 'AllowAuthenticated' };
const orders = { namespace: 'shop', serviceAccount: 'orders', name: 'orders-1', labels: { app: 'orders' } };
const web = serviceAccountId(TRUST_DOMAIN, 'shop', 'web');

function call(peer: SpiffeId | undefined, rest: Partial<ConnectionFacts> = {}): ConnectionFacts {
  return { peer, address: '10.1.2.3', port: 8080, workload: orders, ...rest };
}

function policy(spec: string, name = 'p', namespace = 'shop'): string {
  return [
    '---',
    'apiVersion: mesh.sallyport.dev/v1alpha1',
    'kind: MeshPolicy',
    `metadata: { name: ${name}, namespace: ${namespace} }`,
    `spec: ${spec}`,
    '',
  ].join('\n');
}

const WEB_ON_8080 =
  '{ targetRef: { kind: ServiceAccount, name: orders }, action: Allow, rules: [{ from: [{ serviceAccounts: [{ name: web, namespace: shop }] }], to: [{ ports: [8080] }] }] }';

describe('the order of decision', () => {
  it('denies everybody where nothing is written, by the embedded default', () => {
    expect(evaluate(setOf(''), call(web))).toMatchObject({
      allowed: false,
      reason: POLICY_REASONS['no-policy-allows'],
      policy: undefined,
    });
  });

  it('allows the caller that an Allow names, and says which', () => {
    const decision = evaluate(setOf(policy(WEB_ON_8080)), call(web));
    expect(decision).toMatchObject({
      allowed: true,
      reason: { code: 'allowed-by-policy', alert: undefined },
      policy: { kind: 'MeshPolicy', namespace: 'shop', name: 'p', file: 'policies.yaml', line: 4 },
      rule: 0,
      edit: undefined,
      epoch: 1,
    });
  });

  it('refuses another port, another account, another namespace', () => {
    const set = setOf(policy(WEB_ON_8080));
    expect(evaluate(set, call(web, { port: 8081 })).allowed).toBe(false);
    expect(evaluate(set, call(serviceAccountId(TRUST_DOMAIN, 'shop', 'webb'))).allowed).toBe(false);
    expect(evaluate(set, call(serviceAccountId(TRUST_DOMAIN, 'pay', 'web'))).allowed).toBe(false);
  });

  it('takes a service account to be of this mesh, unless trustDomains says otherwise', () => {
    const foreign = serviceAccountId('partner.test', 'shop', 'web');
    expect(evaluate(setOf(policy(WEB_ON_8080)), call(foreign))).toMatchObject({
      allowed: false,
      explanation: expect.stringContaining(
        "mean this mesh's own trust domain, and the peer is of partner.test",
      ),
    });
    const both = setOf(
      policy(
        '{ action: Allow, rules: [{ from: [{ serviceAccounts: [{ name: web, namespace: shop }], trustDomains: [partner.test] }] }] }',
      ),
    );
    expect(evaluate(both, call(foreign)).allowed).toBe(true);
    expect(evaluate(both, call(web)).allowed).toBe(false);
  });

  it('takes a namespace to be of this mesh, unless trustDomains says otherwise', () => {
    const foreign = serviceAccountId('partner.test', 'shop', 'web');
    const own = '{ action: Allow, rules: [{ from: [{ namespaces: [shop] }] }] }';
    expect(evaluate(setOf(policy(own)), call(web)).allowed).toBe(true);
    expect(evaluate(setOf(policy(own)), call(foreign)).allowed).toBe(false);
    const partner = setOf(policy(own.replace('[shop]', '[shop], trustDomains: [partner.test]')));
    expect(evaluate(partner, call(foreign)).allowed).toBe(true);
  });

  it('lets a Deny win over an Allow', () => {
    const deny = policy('{ action: Deny, rules: [{ from: [{ cidrs: [10.0.0.0/8] }] }] }', 'd');
    const set = setOf(policy(WEB_ON_8080) + deny);
    expect(evaluate(set, call(web))).toMatchObject({
      allowed: false,
      reason: { code: 'denied-by-policy', alert: 'access_denied' },
      policy: { name: 'd' },
    });
    expect(evaluate(set, call(web, { address: '192.0.2.1' })).allowed).toBe(true);
  });

  it('closes a workload with an Allow that has no rules', () => {
    const set = setOf(policy('{ action: Allow, rules: [] }', 'nobody'), OPEN);
    expect(evaluate(set, call(web))).toMatchObject({ allowed: false, policy: { name: 'nobody' } });
  });

  it('holds policies of the root namespace for the whole mesh', () => {
    const set = setOf(
      policy('{ action: Allow, rules: [{ from: [{ peer: Authenticated }] }] }', 'p', 'sallyport-system'),
    );
    expect(evaluate(set, call(web)).allowed).toBe(true);
  });
});

describe('defaults', () => {
  it('lets every identity in until the first enforced Allow selects the workload', () => {
    const other = serviceAccountId(TRUST_DOMAIN, 'pay', 'batch');
    expect(evaluate(setOf('', OPEN), call(other)).reason.code).toBe('allowed-by-default');
    expect(evaluate(setOf(policy(WEB_ON_8080), OPEN), call(other)).allowed).toBe(false);
    const shadow = policy(WEB_ON_8080.replace('action', 'enforcement: Shadow, action'));
    expect(evaluate(setOf(shadow, OPEN), call(other)).allowed).toBe(true);
  });

  it('passes plaintext only where the mode admits it', () => {
    expect(evaluate(setOf('', OPEN), call(undefined)).reason.code).toBe('plaintext-allowed-by-default');
    const strict: PolicyDefaults = { tlsMode: 'Strict', unselected: 'AllowAuthenticated' };
    expect(evaluate(setOf('', strict), call(undefined)).reason.code).toBe('plaintext-refused');
  });
});

describe('a peer without identity', () => {
  const permissive: PolicyDefaults = { tlsMode: 'Permissive', unselected: 'Deny' };

  it('is matched by an Allow only where it asks for no identity', () => {
    expect(evaluate(setOf(policy(WEB_ON_8080), permissive), call(undefined)).reason.code).toBe('no-identity');
    const network = setOf(
      policy('{ action: Allow, rules: [{ from: [{ cidrs: [10.0.0.0/8] }] }] }'),
      permissive,
    );
    expect(evaluate(network, call(undefined)).allowed).toBe(true);
  });

  it('cannot shed a Deny by not saying who it is', () => {
    const deny =
      '{ action: Deny, rules: [{ from: [{ serviceAccounts: [{ name: web, namespace: shop }] }] }] }';
    expect(evaluate(setOf(policy(deny), OPEN), call(undefined))).toMatchObject({
      allowed: false,
      reason: { code: 'denial-not-ruled-out' },
    });
    const sparing = deny.replace('serviceAccounts', 'peer: Authenticated, serviceAccounts');
    expect(evaluate(setOf(policy(sparing), OPEN), call(undefined)).allowed).toBe(true);
    expect(evaluate(setOf(policy(sparing), OPEN), call(web)).allowed).toBe(false);
  });

  it('is not told by labels that were looked up for its address', () => {
    const set = setOf(policy('{ action: Allow, rules: [{ from: [{ labels: { app: web } }] }] }'), permissive);
    expect(evaluate(set, call(undefined, { peerLabels: { app: 'web' } })).allowed).toBe(false);
    expect(evaluate(set, call(web, { peerLabels: { app: 'web' } })).allowed).toBe(true);
  });
});

describe('Shadow', () => {
  it('says what one policy would do alone, and what all would do together', () => {
    const batch = WEB_ON_8080.replace('name: web', 'name: batch');
    const shadows = [WEB_ON_8080, batch].map((spec, index) =>
      policy(spec.replace('action', 'enforcement: Shadow, action'), `s${index}`),
    );
    const decision = evaluate(setOf(shadows.join(''), OPEN), call(web));
    expect(decision.allowed).toBe(true);
    expect(decision.shadow).toMatchObject([
      { policy: { name: 's0' }, rule: 0, outcome: 'would-allow', changes: false },
      { policy: { name: 's1' }, rule: undefined, outcome: 'would-deny', changes: true },
    ]);
    expect(decision.allowedIfShadowEnforced).toBe(true);
  });

  it('is empty where no Shadow policy selects the workload', () => {
    expect(evaluate(setOf(policy(WEB_ON_8080)), call(web)).shadow).toEqual([]);
  });
});

it('compares whole identities: a longer path of the same start is somebody else', () => {
  const id = parseSpiffeId('spiffe://shop.test/robot/1');
  if (!id.ok) throw new Error(id.error);
  const set = setOf(
    policy('{ action: Allow, rules: [{ from: [{ identities: ["spiffe://shop.test/robot"] }] }] }'),
  );
  expect(evaluate(set, call(id.value)).allowed).toBe(false);
});

describe('properties', () => {
  const world = fc.record({ policies, tls: tlsDocuments, facts, defaults });

  it('decides as the naive evaluator does, Shadow included', () => {
    const many = fc.record({
      policies,
      tls: tlsDocuments,
      connections: fc.array(facts, { minLength: 20, maxLength: 20 }),
      defaults,
    });
    fc.assert(
      fc.property(many, ({ policies: raw, tls, connections, defaults: chosen }) => {
        const set = setOf(yamlOf([...raw, ...tls]), chosen);
        for (const connection of connections)
          expectAsNaive(evaluate(set, connection), raw, tls, chosen, connection);
      }),
      { numRuns: 120 },
    );
  });

  it('never allows more when an Allow rule is taken away', () => {
    fc.assert(
      fc.property(world, fc.nat(), ({ policies: raw, tls, facts: connection, defaults: chosen }, which) => {
        const rules = raw.flatMap((one) =>
          one.spec.action === 'Allow' ? one.spec.rules.map((rule) => ({ one, rule })) : [],
        );
        const gone = rules[which % Math.max(rules.length, 1)];
        fc.pre(gone !== undefined);
        const fewer = raw.map((one) =>
          one === gone?.one
            ? { ...one, spec: { ...one.spec, rules: one.spec.rules.filter((rule) => rule !== gone.rule) } }
            : one,
        );
        expectNoMoreAllowed(raw, fewer, tls, chosen, connection);
      }),
    );
  });

  it('never allows more when a Deny is added', () => {
    fc.assert(
      fc.property(world, policies, ({ policies: raw, tls, facts: connection, defaults: chosen }, more) => {
        const denies = more
          .filter(({ spec }) => spec.action === 'Deny')
          .map(({ metadata, spec }) => policyNamed(`more-${metadata.name}`, metadata.namespace, spec));
        fc.pre(denies.length > 0);
        expectNoMoreAllowed(raw, [...raw, ...denies], tls, chosen, connection);
      }),
    );
  });

  it('does not depend on the order of documents', () => {
    fc.assert(
      fc.property(
        world,
        fc.infiniteStream(fc.nat()),
        ({ policies: raw, tls, facts: connection, defaults: chosen }, numbers) => {
          const documents = [...raw, ...tls];
          const shuffled = documents
            .map((document) => ({ document, at: numbers.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ document }) => document);
          const one = evaluate(setOf(yamlOf(documents), chosen), connection);
          const other = evaluate(setOf(yamlOf(shuffled), chosen), connection);
          expect(outcome(other)).toEqual(outcome(one));
        },
      ),
    );
  });
});

function enforced(raw: readonly RawPolicy[]): RawPolicy[] {
  return raw.map((one) => ({ ...one, spec: { ...one.spec, enforcement: 'Enforce' } }));
}

function expectAsNaive(
  decision: Decision,
  raw: readonly RawPolicy[],
  tls: readonly RawTls[],
  chosen: PolicyDefaults,
  connection: ConnectionFacts,
): void {
  const naive = naiveEvaluate(raw, tls, chosen, connection);
  expect(decision.allowed).toBe(naive.allowed);
  if (naive.code === 'unmatched') expect(['no-policy-allows', 'no-identity']).toContain(decision.reason.code);
  else expect(decision.reason.code).toBe(naive.code);
  expect(decision.allowedIfShadowEnforced).toBe(
    naiveEvaluate(enforced(raw), tls, chosen, connection).allowed,
  );
  for (const { policy: source, outcome, changes } of decision.shadow) {
    const alone = raw.map((one) => (one.metadata.name === source.name ? (enforced([one])[0] ?? one) : one));
    const { allowed } = naiveEvaluate(alone, tls, chosen, connection);
    expect(outcome).toBe(allowed ? 'would-allow' : 'would-deny');
    expect(changes).toBe(allowed !== decision.allowed);
  }
}

function expectNoMoreAllowed(
  before: readonly RawPolicy[],
  after: readonly RawPolicy[],
  tls: readonly RawTls[],
  chosen: PolicyDefaults,
  connection: ConnectionFacts,
): void {
  const was = evaluate(setOf(yamlOf([...before, ...tls]), chosen), connection).allowed;
  const is = evaluate(setOf(yamlOf([...after, ...tls]), chosen), connection).allowed;
  expect(is && !was).toBe(false);
}

/** All of a decision but lines, which move with the documents. */
function outcome({ allowed, reason, policy: source, rule, shadow }: Decision): unknown {
  return {
    allowed,
    code: reason.code,
    name: source?.name,
    rule,
    shadow: shadow.map(({ policy: by, ...rest }) => [by.name, rest.outcome]),
  };
}
