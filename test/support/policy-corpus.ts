/** Specs of policies, and what of them is refused. One list for the reader of files and for an API server with the CRDs. */
export interface PolicyCase {
  readonly name: string;
  readonly kind: 'MeshPolicy' | 'MeshTLS';
  readonly spec: unknown;
  /** Words that the API server's refusal holds; undefined: it is accepted. */
  readonly refusal?: RegExp;
}

const ANY = [{ from: [{ peer: 'Any' }] }];
const allow = (from: unknown, to?: unknown): unknown => ({
  action: 'Allow',
  rules: [{ from: [from], ...(to === undefined ? {} : { to: [to] }) }],
});
const policy = (name: string, spec: unknown, refusal?: RegExp): PolicyCase => ({
  name,
  kind: 'MeshPolicy',
  spec,
  ...(refusal === undefined ? {} : { refusal }),
});
const tls = (name: string, spec: unknown, refusal?: RegExp): PolicyCase => ({
  ...policy(name, spec, refusal),
  kind: 'MeshTLS',
});

export const POLICY_CORPUS: readonly PolicyCase[] = [
  policy('every kind of condition', {
    selector: { matchLabels: { app: 'orders', 'example.org/tier': '' } },
    action: 'Deny',
    enforcement: 'Shadow',
    rules: [
      {
        from: [
          {
            peer: 'Authenticated',
            identities: ['spiffe://shop.test/ns/shop/sa/web', 'spiffe://shop.test'],
            serviceAccounts: [
              { name: 'web', namespace: 'shop' },
              { name: 'web.blue', namespace: 'pay' },
            ],
            namespaces: ['shop'],
            trustDomains: ['shop.test'],
            labels: { app: 'web' },
            cidrs: ['10.1.0.0/16', '2001:db8::/32', '10.1.2.3/32', '0.0.0.0/0'],
          },
          { peer: 'Unauthenticated', cidrs: ['10.2.0.0/16'] },
        ],
        to: [{ ports: [1, 8080, 65_535] }],
      },
    ],
  }),
  policy('an Allow that lets nobody in', { action: 'Allow', rules: [] }),
  policy('a service account', {
    targetRef: { kind: 'ServiceAccount', name: 'web' },
    action: 'Deny',
    rules: ANY,
  }),
  tls('a mode', { mode: 'Strict' }),
  tls('ports only', { ports: [{ port: 80, mode: 'Permissive' }] }),

  policy('no action', { rules: ANY }, /spec\.action: Required value/),
  policy('another action', { action: 'ALLOW', rules: ANY }, /supported values: "Allow", "Deny"/),
  policy('no rules', { action: 'Allow' }, /spec\.rules: Required value/),
  policy('a Deny of nobody', { action: 'Deny', rules: [] }, /a Deny without rules denies nobody/),
  policy('nobody in from', { action: 'Allow', rules: [{ from: [] }] }, /should have at least 1 items/),
  policy('an entry without a condition', allow({}), /has no condition and would match everybody/),
  policy('an empty list', allow({ namespaces: [] }), /should have at least 1 items/),
  policy('empty labels', allow({ labels: {} }), /should have at least 1 properties/),
  policy(
    'everybody, with an identity',
    allow({ peer: 'Any', namespaces: ['shop'] }),
    /contradicts a condition/,
  ),
  policy(
    'without and with an identity',
    allow({ peer: 'Unauthenticated', labels: { app: 'web' } }),
    /contradicts a condition/,
  ),
  policy('a namespace twice', allow({ namespaces: ['shop', 'shop'] }), /Duplicate value: "shop"/),
  policy('a port twice', allow({ peer: 'Any' }, { ports: [80, 80] }), /Duplicate value: 80/),
  policy('a port too high', allow({ peer: 'Any' }, { ports: [65_536] }), /less than or equal to 65535/),
  policy('port 0', allow({ peer: 'Any' }, { ports: [0] }), /greater than or equal to 1/),
  policy('a SPIFFE ID with a pattern', allow({ identities: ['spiffe://shop.test/ns/*'] }), /should match/),
  policy('an ID that is none', allow({ identities: ['shop.test/ns/shop'] }), /should match/),
  policy('a namespace in capitals', allow({ namespaces: ['Shop'] }), /should match/),
  policy('a trust domain as a URI', allow({ trustDomains: ['spiffe://shop.test'] }), /should match/),
  policy('a network with host bits', allow({ cidrs: ['10.1.2.3/16'] }), /is not a network in canonical form/),
  policy('an address for a network', allow({ cidrs: ['10.1.2.3'] }), /must be of type cidr/),
  policy('methods', allow({ peer: 'Any' }, { ports: [80], methods: ['GET'] }), /methods.*is about HTTP/),
  policy('a negation', allow({ namespaces: ['shop'], notNamespaces: ['pay'] }), /there is no negation/),
  policy(
    "Istio's source",
    allow({ source: { namespaces: ['shop'] } }),
    /its fields stand in the entry itself/,
  ),
  policy(
    'two targets',
    {
      targetRef: { kind: 'ServiceAccount', name: 'web' },
      selector: { matchLabels: { app: 'web' } },
      action: 'Deny',
      rules: ANY,
    },
    /stands beside targetRef/,
  ),
  policy(
    'a target elsewhere',
    { targetRef: { kind: 'ServiceAccount', name: 'web', namespace: 'pay' }, action: 'Deny', rules: ANY },
    /for service accounts of its own namespace/,
  ),
  policy(
    'an unknown condition',
    allow({ namespces: ['shop'], peer: 'Any' }),
    /unknown field "spec\.rules\[0\]\.from\[0\]\.namespces"/,
  ),
  tls('nothing', {}, /says nothing: write a mode, or ports with modes/),
  tls('another mode', { mode: 'STRICT' }, /supported values: "Strict", "Permissive", "Disabled"/),
  tls(
    'a port with two modes',
    {
      ports: [
        { port: 80, mode: 'Strict' },
        { port: 80, mode: 'Disabled' },
      ],
    },
    /Duplicate value/,
  ),
  tls('a TLS profile', { mode: 'Strict', minVersion: '1.2' }, /which is not configurable yet/),
];
