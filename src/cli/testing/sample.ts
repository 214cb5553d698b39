import type { HandshakeRecord } from '#telemetry';
import type { MeshSnapshot } from '../view/snapshot.ts';

/** A mesh of three services with one denial, as the shop has it: for tests of what is shown. */
const NOON = new Date(2026, 5, 1, 12, 0, 0).getTime();

export function handshake(change: Partial<HandshakeRecord> = {}): HandshakeRecord {
  return {
    sequence: 1,
    role: 'server',
    service: 'orders',
    local: 'spiffe://shop.example/ns/default/sa/orders',
    peer: 'spiffe://shop.example/ns/default/sa/web',
    peerSerial: '3f9a0c11d2e4b5a6978812f00d5eaf01',
    peerNotAfter: NOON + 115_000,
    peerAddress: '127.0.0.1:40112',
    destination: undefined,
    serverName: 'p8481.shop.example',
    startTime: NOON - 480,
    durationMs: 2.41,
    establishedMs: 2.41,
    confirmedMs: undefined,
    spanMs: 2.6,
    result: 'ok',
    reason: undefined,
    say: undefined,
    next: undefined,
    detail: undefined,
    blame: undefined,
    rfc: undefined,
    alert: undefined,
    version: '1.3',
    suite: 'TLS_AES_128_GCM_SHA256',
    group: 'x25519',
    scheme: 'ecdsa_secp256r1_sha256',
    helloRetry: false,
    alpn: 'sallyport/1',
    traceId: '7be4c1de00a1f2837be4c1de00a1f283',
    spanId: '00a1f2837be4c1de',
    parentSpanId: '1f2837be4c1de00a',
    untrusted: false,
    early: undefined,
    operations: [
      { operation: 'key-exchange', startMs: 0.31, durationMs: 0.22 },
      { operation: 'sign', startMs: 0.6, durationMs: 0.11 },
      { operation: 'validate-chain', startMs: 1.72, durationMs: 0.41 },
      { operation: 'verify-signature', startMs: 2.15, durationMs: 0.13 },
    ],
    messages: [
      { direction: 'received', message: 'client_hello', atMs: 0.1, length: 214 },
      { direction: 'sent', message: 'server_hello', atMs: 0.55, length: 90 },
      { direction: 'received', message: 'finished', atMs: 2.36, length: 36 },
    ],
    dropped: 0,
    policy: 'default/orders-callers',
    ...change,
  };
}

export const DENIED: HandshakeRecord = handshake({
  sequence: 2,
  service: 'payments',
  local: 'spiffe://shop.example/ns/default/sa/payments',
  serverName: 'p8482.shop.example',
  result: 'refused',
  reason: 'no-policy-allows',
  say: 'No Allow policy matches this connection.',
  next: 'If the caller should pass, add it to the Allow policy that is named, or add one for the workload.',
  startTime: NOON - 200,
  durationMs: 2.02,
  traceId: 'aa00c1de00a1f2837be4c1de00a1f283',
  policy: 'default/payments-callers',
});

const certificate = (serial: string, renewals: number): MeshSnapshot['services'][number]['certificate'] => ({
  serial: `${serial}aabbccddeeff00112233445566`.slice(0, 32),
  notBefore: NOON - 305_000,
  notAfter: NOON + 115_400,
  renewals,
  issuer: { serial: '70110f2233445566778899aabbccddee', notAfter: NOON + 86_400_000 },
});

export const SHOP: MeshSnapshot = {
  trustDomain: 'shop.example',
  file: 'examples/shop/mesh.yaml',
  now: NOON,
  startedAt: NOON - 12_300,
  rotateEveryMilliseconds: 5_000,
  services: [
    ['web', 8480, '3f9a0c11'],
    ['orders', 8481, '91bb02fe'],
    ['payments', 8482, 'c4d3e2f1'],
  ].map(([name, port, serial]) => ({
    name: String(name),
    identity: `spiffe://shop.example/ns/default/sa/${name}`,
    port: Number(port),
    phase: 'ready',
    pid: 4_242,
    restarts: 0,
    certificate: certificate(String(serial), 2),
  })),
  edges: [
    {
      from: 'web',
      to: 'orders',
      listen: 40_001,
      state: 'permitted',
      denial: undefined,
      requestsPerSecond: 3.3,
      open: 0,
      last: handshake(),
    },
    {
      from: 'orders',
      to: 'payments',
      listen: 40_002,
      state: 'permitted',
      denial: undefined,
      requestsPerSecond: 3.3,
      open: 1,
      last: handshake({ service: 'payments', durationMs: 12.9, group: 'secp256r1' }),
    },
    {
      from: 'web',
      to: 'payments',
      listen: 40_003,
      state: 'denied',
      denial: {
        reason: 'no-policy-allows',
        explanation:
          'no Allow policy admits spiffe://shop.example/ns/default/sa/web to default/payments port 8482',
        edit: {
          file: 'examples/shop/policies/payments.yaml',
          line: 14,
          text: '    - from:',
          say: 'Add the caller to this "from" list.',
          snippet: ['        - serviceAccounts: [{ name: web, namespace: default }]'],
        },
      },
      requestsPerSecond: 1,
      open: 0,
      last: DENIED,
    },
  ],
  handshakes: [DENIED, handshake()],
  totals: {
    requests: 52,
    ok: 40,
    failed: 0,
    denied: 12,
    passed: 0,
    undecided: 0,
    handshakes: 41,
    failedHandshakes: 0,
    denials: 12,
    rotations: 6,
  },
  warnings: [],
};
