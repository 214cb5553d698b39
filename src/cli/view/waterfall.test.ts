import { expect, test } from 'vitest';
import { DENIED, handshake, SHOP } from '../testing/sample.ts';
import { renderCertificates } from './certificate-table.ts';
import { handshakeLine, renderHandshakes } from './handshake-table.ts';
import { paint } from './paint.ts';
import { widthOf } from './screen.ts';
import { renderWaterfall } from './waterfall.ts';

const plain = paint({ colours: false, unicode: false });
const server = handshake();
const client = handshake({
  role: 'client',
  service: 'web',
  local: server.peer ?? '',
  peer: server.local,
  destination: 'orders:8481',
  startTime: server.startTime - 0.4,
  messages: [
    { direction: 'sent', message: 'client_hello', atMs: 0.25, length: 214 },
    { direction: 'received', message: 'server_hello', atMs: 1.1, length: 90 },
    { direction: 'sent', message: 'finished', atMs: 2.2, length: 36 },
  ],
  operations: [{ operation: 'key-exchange', startMs: 0.02, durationMs: 0.2 }],
});

test('both sides stand on one axis, in the order in which things happened', () => {
  expect(renderWaterfall([server, client], 100, plain).join('\n')).toMatchInlineSnapshot(`
    "trace 7be4c1de00a1f2837be4c1de00a1f283  ok
      client spiffe://shop.example/ns/default/sa/web
      server spiffe://shop.example/ns/default/sa/orders
      TLS 1.3  TLS_AES_128_GCM_SHA256  x25519  ecdsa_secp256r1_sha256  policy default/orders-callers
    client  = key-exchange         0.02 +0.20 ms    |====                                              |
    client  > client_hello 214 B   0.25 ms          |    >                                             |
    server  < client_hello 214 B   0.50 ms          |         <                                        |
    server  = key-exchange         0.71 +0.22 ms    |            =====                                 |
    server  > server_hello 90 B    0.95 ms          |                 >                                |
    server  = sign                 1.00 +0.11 ms    |                  ===                             |
    client  < server_hello 90 B    1.10 ms          |                   <                              |
    server  = validate-chain       2.12 +0.41 ms    |                                      ========    |
    client  > finished 36 B        2.20 ms          |                                       >          |
    server  = verify-signature     2.55 +0.13 ms    |                                              === |
    server  < finished 36 B        2.76 ms          |                                                 <|"
  `);
});

test.each([40, 60, 80, 200])('nothing is wider than %i columns', (width) => {
  for (const records of [[server, client], [client], [DENIED]]) {
    expect(widthOf(renderWaterfall(records, width, plain).join('\n'))).toBeLessThanOrEqual(width);
  }
  expect(widthOf(renderHandshakes([server, client, DENIED], width, plain).join('\n'))).toBeLessThanOrEqual(
    width,
  );
  expect(widthOf(handshakeLine(DENIED, width, plain))).toBeLessThanOrEqual(width);
});

test('no message is received before it was sent, however coarse the clocks', () => {
  for (const wrong of [-3, 0, 3]) {
    const coarse = { ...server, startTime: client.startTime + wrong };
    const lines = renderWaterfall([coarse, client], 100, plain);
    const at = (text: string): number => lines.findIndex((line) => line.includes(text));
    expect(at('client  > client_hello')).toBeGreaterThan(0);
    expect(at('server  < client_hello')).toBeGreaterThan(at('client  > client_hello'));
    expect(at('client  < server_hello')).toBeGreaterThan(at('server  > server_hello'));
  }
});

test('a side that nobody remembers is said to be missing', () => {
  expect(renderWaterfall([server], 100, plain).at(-1)).toBe('Only one side of this handshake is in memory.');
});

test('a table of handshakes says what a reason means and what to try', () => {
  expect(renderHandshakes([server, DENIED], 200, plain).join('\n')).toMatchInlineSnapshot(`
    "time          side    service   peer                                     result               took  suite               group   peer serial  trace
    11:59:59.520  server  orders    spiffe://shop.example/ns/default/sa/web  ok                2.41 ms  AES_128_GCM_SHA256  x25519  3f9a0c11     7be4c1de00a1
    11:59:59.800  server  payments  spiffe://shop.example/ns/default/sa/web  no-policy-allows  2.02 ms  AES_128_GCM_SHA256  x25519  3f9a0c11     aa00c1de00a1

    no-policy-allows: No Allow policy matches this connection.
      If the caller should pass, add it to the Allow policy that is named, or add one for the workload."
  `);
  expect(renderHandshakes([], 80, plain)).toEqual(['No handshake of this kind in memory.']);
});

test('what a case adds to its reason is told in the table, the waterfall and the line', () => {
  const detail = 'policies/payments.yaml:14 default/payments-callers admits orders alone';
  const record = { ...DENIED, detail };
  for (const width of [40, 60, 80, 200]) {
    for (const shown of [
      renderHandshakes([server, record], width, plain).join('\n'),
      renderWaterfall([record], width, plain).join('\n'),
      handshakeLine(record, width, plain),
    ]) {
      expect(widthOf(shown)).toBeLessThanOrEqual(width);
      expect(shown.replace(/\s+/g, ' ')).toContain(detail);
    }
  }
});

test('an alert names the command that shows the side that sent it', () => {
  const alerted = handshake({ result: 'failed', reason: 'alert-received', say: 'The peer ended it.' });
  expect(renderHandshakes([alerted], 80, plain).at(-1)).toBe(
    '  sallyport handshakes --waterfall 7be4c1de00a1',
  );
});

test.each([60, 80, 120])(
  'who the peer is can be read on %i columns, and no stranger passes for ours',
  (width) => {
    const identity = 'spiffe://shop.example/ns/default/sa/payments';
    const stranger = 'spiffe://evil.example/ns/default/sa/web';
    const shown = (peer: string): string => {
      const record = { ...DENIED, service: 'web', peer };
      return [...renderHandshakes([record], width, plain), handshakeLine(record, width, plain)].join('\n');
    };
    expect(shown(identity).match(/\/ns\/default\/sa\/payments(?= )/g)).toHaveLength(2);
    expect(shown(stranger)).not.toMatch(/(?<!example)\/ns/);
    const [row] = SHOP.services;
    if (row === undefined) throw new Error('the sample is empty');
    const certificates = renderCertificates([{ ...row, name: 'payments', identity }], SHOP.now, width, plain);
    expect(certificates.join('\n')).toContain('/ns/default/sa/payments ');
    expect(widthOf(certificates.join('\n'))).toBeLessThanOrEqual(width);
  },
);
