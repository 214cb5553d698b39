import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../limits.ts';
import { contextWith, problemsOf } from '../testing/sets.ts';
import { readPolicies } from '../read-policies.ts';
import { readDocuments } from './document.ts';

const HEAD =
  'apiVersion: mesh.sallyport.dev/v1alpha1\nkind: MeshPolicy\nmetadata: { name: p, namespace: shop }\n';
const TLS = HEAD.replace('MeshPolicy', 'MeshTLS');
const ANY = 'from: [{ peer: Any }]';

function rules(text: string): string {
  return `${HEAD}spec: { action: Allow, rules: [{ ${text} }] }\n`;
}

describe('a good document', () => {
  it('becomes a typed policy with the places to edit', () => {
    const text = `${HEAD}spec:
  selector: { matchLabels: { app: orders } }
  action: Deny
  enforcement: Shadow
  rules:
    - from:
        - identities: ["spiffe://shop.test/ns/shop/sa/web"]
          cidrs: ["2001:DB8::/32"]
      to:
        - ports:
            - 8080
`;
    const { documents, problems } = readDocuments('a.yaml', text);
    expect(problems).toEqual([]);
    expect(documents).toMatchObject([
      {
        kind: 'MeshPolicy',
        metadata: { name: 'p', namespace: 'shop', labels: {}, annotations: {} },
        spec: {
          target: { kind: 'Labels', labels: { app: 'orders' } },
          action: 'Deny',
          enforcement: 'Shadow',
          rules: [
            {
              from: [{ identities: [{ trustDomain: 'shop.test' }], cidrs: [{ text: '2001:db8::/32' }] }],
              to: [{ ports: [8080] }],
              place: {
                from: { line: 9, column: 7, itemColumn: 9 },
                ports: { line: 13, column: 11, itemColumn: 13 },
              },
            },
          ],
        },
        place: { name: { line: 3 }, target: { line: 5 }, rules: { line: 8, column: 3, itemColumn: 5 } },
      },
    ]);
  });

  it('cannot be changed afterwards', () => {
    const [document] = readDocuments('a.yaml', rules('from: [{ namespaces: [shop] }]')).documents;
    if (document?.kind !== 'MeshPolicy') throw new Error('no policy was read');
    const [entry] = document.spec.rules[0]?.from ?? [];
    expect(() => Object.assign(entry?.namespaces ?? {}, { 1: 'pay' })).toThrow(TypeError);
    expect(() => Object.assign(document.spec, { action: 'Deny' })).toThrow(TypeError);
  });

  it('may be one of several, as YAML or JSON, with empty ones between', () => {
    const json = JSON.stringify({
      apiVersion: 'mesh.sallyport.dev/v1alpha1',
      kind: 'MeshTLS',
      metadata: { name: 't', namespace: 'shop' },
      spec: { mode: 'Strict' },
    });
    const { documents } = readDocuments(
      'a.yaml',
      `---\n# nothing here\n---\n${rules(ANY)}---\n${json}\n---\n`,
    );
    expect(documents.map(({ kind }) => kind)).toEqual(['MeshPolicy', 'MeshTLS']);
  });

  it('may use anchors within itself', () => {
    const { documents } = readDocuments(
      'a.yaml',
      rules('from: &callers [{ peer: Any }] }, { from: *callers, to: [{ ports: [1] }]'),
    );
    expect(documents).toMatchObject([{ spec: { rules: [{}, { from: [{ peer: 'Any' }] }] } }]);
  });
});

/** Where a mistake is expected, in the texts below. */
const HERE = '§';

describe('a mistake is named with its place', () => {
  const CLUSTER = 'is written by the cluster; leave it out of the file';
  const NAME =
    'is not a name: at most 253 of a-z, 0-9, "-" and ".", and a letter or digit at both ends of each part';
  const EMPTY_LIST = 'must not be empty: leave the field out if it should not matter';
  const ENTRY_FIELDS = 'peer, identities, serviceAccounts, namespaces, trustDomains, labels, cidrs';
  const named = (from: string, to: string): string => rules(ANY).replace(from, to);
  const policy = (spec: string): string => `${HEAD}${spec}`;
  const tls = (spec: string): string => `${TLS}${spec}`;

  it.each([
    // The form.
    ['§', 'holds no document; delete the file if that is meant'],
    ['§# to do\n', 'holds no document; delete the file if that is meant'],
    ['§just text', 'is not a mapping with apiVersion, kind, metadata and spec'],
    ['§kind: MeshPolicy', 'apiVersion is missing; policy files hold only mesh.sallyport.dev/v1alpha1'],
    ['§apiVersion: v1\nkind: Pod', 'apiVersion is "v1"; policy files hold only mesh.sallyport.dev/v1alpha1'],
    [
      HEAD.replace('kind: MeshPolicy', '§kind: MeshPolice'),
      'kind "MeshPolice" is not known; did you mean "MeshPolicy"? (known are: MeshPolicy, MeshTLS)',
    ],
    [`§${HEAD}`, 'spec: is missing'],
    // Names.
    [named('name: p', '§name: P'), `metadata.name: ${NAME}`],
    [named('name: p', '§name: 7'), 'metadata.name: must be text, not a number; write "7" in quotes'],
    [
      named('metadata: { name: p, namespace: shop }', '§metadata: { name: p }'),
      'metadata.namespace: is missing',
    ],
    [named('shop }', 'shop, §uid: x }'), `metadata.uid: ${CLUSTER}`],
    // Targets.
    [
      policy('spec: { targetRef: { §kind: Service, name: a }, action: Allow, rules: [] }'),
      'spec.targetRef.kind: is "Service", which is not known; known are: ServiceAccount',
    ],
    [
      policy(
        'spec: { targetRef: { kind: ServiceAccount, name: a }, §selector: { matchLabels: { a: b } }, action: Allow, rules: [] }',
      ),
      'spec.selector: stands beside targetRef; a document has one of them, or none for its whole namespace',
    ],
    [
      policy('spec: { selector: { §matchLabels: {} }, action: Allow, rules: [] }'),
      'spec.selector.matchLabels: must not be empty: leave the selector out to mean every workload of the namespace',
    ],
    // Nothing is meant by emptiness.
    [
      policy('spec: { action: Deny, §rules: [] }'),
      'spec.rules: is empty, and a Deny without rules denies nobody; to deny everybody write a rule from "peer: Any"',
    ],
    [policy('§spec: { action: Allow }'), 'spec.rules: is missing'],
    [policy('§spec: { rules: [] }'), 'spec.action: is missing'],
    [policy('spec: { action: Allow, rules: [§{ to: [{ ports: [1] }] }] }'), 'spec.rules[0].from: is missing'],
    [
      rules('§from: []'),
      'spec.rules[0].from: must not be empty: say who with an entry, and everybody with "peer: Any"',
    ],
    [
      rules('from: [§{}]'),
      'spec.rules[0].from[0]: has no condition and would match everybody; say so with "peer: Any", or "peer: Authenticated" for every mesh identity',
    ],
    [rules('from: [{ §namespaces: [] }]'), `spec.rules[0].from[0].namespaces: ${EMPTY_LIST}`],
    [rules('from: [{ §labels: {} }]'), `spec.rules[0].from[0].labels: ${EMPTY_LIST}`],
    [rules('§from:'), 'spec.rules[0].from: must be a list, not empty'],
    [rules(`${ANY}, §to: []`), 'spec.rules[0].to: must not be empty: leave it out to mean every port'],
    // Values.
    [
      rules('from: [{ namespaces: [shop, §shop] }]'),
      'spec.rules[0].from[0].namespaces[1]: shop stands in the list twice',
    ],
    [
      rules('from: [{ serviceAccounts: [§{ name: web }] }]'),
      'spec.rules[0].from[0].serviceAccounts[0].namespace: is missing',
    ],
    [
      rules('from: [{ trustDomains: [§Shop] }]'),
      'spec.rules[0].from[0].trustDomains[0]: character 0 of the trust domain is "S"; trust domains are lower-case',
    ],
    [
      rules('from: [{ §peer: Unauthenticated, namespaces: [shop] }]'),
      'spec.rules[0].from[0].peer: is Unauthenticated, which namespaces beside it contradicts; leave one of them out',
    ],
    [
      rules(`${ANY}, to: [{ ports: [§80.5] }]`),
      'spec.rules[0].to[0].ports[0]: is not a port from 1 to 65535',
    ],
    [rules(`${ANY}, to: [{ ports: [§0] }]`), 'spec.rules[0].to[0].ports[0]: is not a port from 1 to 65535'],
    [rules(`${ANY}, to: [{ ports: [§"80"] }]`), 'spec.rules[0].to[0].ports[0]: must be a number, not text'],
    // Fields that are not here, or not yet.
    [
      rules('from: [{ §serviceAcounts: [] }]'),
      `spec.rules[0].from[0].serviceAcounts: is not a field here; did you mean "serviceAccounts"? (known are: ${ENTRY_FIELDS})`,
    ],
    [
      rules('§form: []'),
      'spec.rules[0].form: is not a field here; did you mean "from"? (known are: from, to)',
    ],
    [
      rules('from: [{ §notNamespaces: [a] }]'),
      'spec.rules[0].from[0].notNamespaces: is not supported: there is no negation; write a Deny policy',
    ],
    [
      rules(`${ANY}, to: [{ ports: [80], §paths: [/] }]`),
      'spec.rules[0].to[0].paths: is about HTTP, which policies do not cover yet; without it the rule would let in more than it says, so it is refused',
    ],
    // MeshTLS.
    [tls('§spec: {}'), 'spec: says nothing: write a mode, or ports with modes'],
    [
      tls('spec: { §mode: STRICT }'),
      'spec.mode: is "STRICT", which is not known; did you mean "Strict"? (known are: Strict, Permissive, Disabled)',
    ],
    [
      tls('spec: { ports: [{ port: 1, mode: Strict }, §{ port: 1, mode: Disabled }] }'),
      'spec.ports[1]: 1 stands in the list twice',
    ],
    [
      tls('spec: { mode: Strict, §minVersion: TLS1.2 }'),
      'spec.minVersion: is part of the TLS profile, which is not configurable yet',
    ],
  ])('%j: %s', (marked, message) => {
    const before = marked.slice(0, marked.indexOf(HERE)).split('\n');
    const place = `policies.yaml:${before.length}:${(before.at(-1) ?? '').length + 1}`;
    const [line, ...others] = problemsOf(marked.replace(HERE, ''));
    expect(others).toEqual([]);
    expect(line?.replace(TITLE, '')).toBe(`${place}: error: ${message}`);
  });

  const KEY = 'error: the key "__proto__" is not allowed';
  it.each([
    ['a label that is asked for', 'from: [{ labels: { __proto__: x, app: web } }]', KEY],
    ['a label in quotes', 'from: [{ labels: { "__proto__": x, app: web } }]', KEY],
    ['the value of a label', 'from: [{ labels: { app: __proto__ } }]', 'is not a label value'],
    ['a namespace', 'from: [{ namespaces: [__proto__] }]', 'is not a namespace'],
    [
      'a service account',
      'from: [{ serviceAccounts: [{ name: __proto__, namespace: shop }] }]',
      'spec.rules[0].from[0].serviceAccounts[0].name: is not a name',
    ],
    ['a field', `${ANY}, __proto__: { to: [] }`, KEY],
  ])('"__proto__" as %s is refused', (_, text, message) => {
    expect(problemsOf(rules(text))).toEqual([expect.stringContaining(message)]);
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])('"%s" is a label like any other', (key) => {
    const text = rules(`from: [{ labels: { ${key}: x } }]`);
    expect(problemsOf(text)).toEqual([]);
    expect(problemsOf(text.replace('labels:', `${key}:`))).toEqual([
      expect.stringContaining(`${key}: is not a field here; known are:`),
    ]);
  });

  it('nothing of a file or its name reaches a terminal or a log as it is', () => {
    const forged = '\u001b[2J\n::error::forged';
    const lines = [
      HEAD.replace('name: p', `name: ${JSON.stringify(forged)}`),
      HEAD.replace('kind: MeshPolicy', `kind: ${JSON.stringify(forged)}`),
      rules(`${ANY}, ${JSON.stringify(forged)}: 1`),
      rules(`from: [{ peer: ${JSON.stringify('\u009b2J\u202e')} }]`),
      rules(`from: [{ cidrs: [${JSON.stringify('\u009b2J')}] }]`),
      `%FOO \u001b[2J\n---\n${HEAD}`,
      `${HEAD}x: *\u001b[2J\n`,
      `${HEAD}x: !\u001b[2J 1\n`,
      `${JSON.stringify('\u009b\u202e')}: 1\n${JSON.stringify('\u009b\u202e')}: 1\n`,
    ].flatMap((text) => problemsOf(text, `${forged}.yaml`));
    expect(lines.length).toBeGreaterThanOrEqual(9);
    for (const line of lines) {
      expect(line).not.toMatch(/\p{C}/u);
      expect(line.startsWith('\\u{1b}[2J\\u{a}::error::forged.yaml:')).toBe(true);
    }
  });

  it('together with all the others, in the order of the file', () => {
    const text = `${HEAD}spec:
  action: ALLOW
  rules:
    - from: [{ cidrs: [10.1.1.1/8, x] }]
      ports: [1]
---
${TLS}spec: { mode: Strct, ports: No }
`;
    expect(problemsOf(text).map((line) => line.split(': ').slice(0, 3).join(': '))).toEqual([
      'policies.yaml:5:3: error: spec.action',
      'policies.yaml:7:24: error: spec.rules[0].from[0].cidrs[0]',
      'policies.yaml:7:36: error: spec.rules[0].from[0].cidrs[1]',
      'policies.yaml:8:7: error: spec.rules[0].ports',
      'policies.yaml:13:9: error: spec.mode',
      'policies.yaml:13:22: error: spec.ports',
      'policies.yaml:13:29: error: No without quotes is a boolean to kubectl; write "No" if text is meant',
    ]);
  });

  it('but a file in another format gives no thousands of lines', () => {
    const text = rules(`from: [${'{ x: 1 }, '.repeat(LIMITS.entriesPerRule)}]`);
    const lines = problemsOf(text);
    expect(lines.length).toBe(LIMITS.problemsPerFile + 1);
    expect(lines.at(-1)).toBe('policies.yaml: error: has more mistakes than these');
  });
});

/** The document that a problem ends with. */
const TITLE = / \(Mesh[A-Za-z]* [^ ]*\)$/;

it('no text makes the reader throw, nor gives a set where there is an error', () => {
  const scraps = fc.constantFrom(
    HEAD,
    TLS,
    'spec:',
    '  rules:',
    '- ',
    '&a ',
    '*a',
    '<<: ',
    '{',
    '}',
    '[',
    ']',
    '---\n',
    '\n',
    ': ',
    '"',
    '!!set ',
    '\t',
    '|',
    '%YAML 1.1\n',
    'from',
    ANY,
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(scraps, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (content) => {
      const { set, problems } = readPolicies([{ file: 'a.yaml', text: content }], contextWith(), 1, []);
      expect(set === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
    }),
    { numRuns: 400 },
  );
});
