import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminOf } from '../testing/admin-client.ts';
import { TestMesh, type TestSidecar } from '../testing/mesh.ts';
import { readAll, readExactly, tcpClient, tcpServer } from '../testing/sockets.ts';

let mesh: TestMesh;
let application: Awaited<ReturnType<typeof tcpServer>>;
let orders: TestSidecar;
let web: TestSidecar;
beforeEach(async () => {
  mesh = new TestMesh();
  application = await tcpServer((socket) => socket.pipe(socket));
  const limits = { adminRequestMilliseconds: 200 };
  orders = await mesh.start('orders', { application, limits });
  web = await mesh.start('web', { calls: { orders: mesh.to(orders) }, limits });
});
afterEach(async () => {
  await application.close();
  await mesh.close();
});

test('/metrics shows this service, not its neighbours', async () => {
  const client = await tcpClient(web.calls('orders'));
  client.end('x');
  await readAll(client);
  const { type, body, status } = await adminOf(orders).ask('/metrics');
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  expect(body).toMatch(/sallyport_tls_handshakes_total\{.*service="orders".*role="server".*\} 1/);
  expect(body).toMatch(/sallyport_certificate_not_after_seconds\{.*kind="leaf".*\}/);
  expect(body).not.toContain('service="web"');
});

test('of many requests in one packet one is answered', async () => {
  const { host, port } = orders.sidecar.addresses.admin;
  const socket = connect(port, host);
  socket.end('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2000));
  const { bytes } = await readAll(socket);
  expect(bytes.toString('latin1').match(/^HTTP\/1\.1 200/gm)).toHaveLength(1);
});

test('/ready says why not', async () => {
  expect(await adminOf(orders).ask('/ready')).toMatchObject({
    status: 200,
    body: '{"ready":true,"reasons":[]}\n',
  });
  orders.credentials.set(undefined);
  const { status, body } = await adminOf(orders).ask('/ready');
  expect(status).toBe(503);
  expect(JSON.parse(body)).toMatchObject({ ready: false, reasons: [{ code: 'no-credential' }] });
});

test('/dump shows connections, listeners and the certificate, and no key', async () => {
  const client = await tcpClient(web.calls('orders'));
  client.write('abc');
  await readExactly(client, 3);
  const { status, body } = await adminOf(orders).ask('/dump');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({
    service: 'orders',
    identity: orders.identity.toString(),
    draining: false,
    listeners: { 'inbound of orders': { accepting: true } },
    certificate: { serial: orders.credentials.value?.serial, spiffeId: orders.identity.toString() },
    bundle: { trustDomain: 'mesh.test', roots: 1 },
    policy: { epoch: 1, mode: 'Strict', modeFrom: 'default' },
    handshakesInProgress: 0,
    connections: {
      inbound: 1,
      outlivedCertificate: 0,
      newest: [
        {
          phase: 'forwarding',
          carriage: 'mesh',
          peer: web.identity.toString(),
          receivedBytes: 3,
          sentBytes: 3,
        },
      ],
    },
  });
  expect(body).not.toMatch(/PRIVATE|signer|secret/i);
  client.destroy();
});

test('/handshakes shows the newest of this service, and only what is newer than asked', async () => {
  for (const text of ['1', '2']) {
    const client = await tcpClient(web.calls('orders'));
    client.end(text);
    await readAll(client);
  }
  type Handshakes = { handshakes: { sequence: number; service: string; result: string }[] };
  const { handshakes } = await adminOf(orders).json<Handshakes>('/handshakes');
  expect(handshakes).toMatchObject([
    { service: 'orders', result: 'ok' },
    { service: 'orders', result: 'ok' },
  ]);
  const after = handshakes[0]?.sequence ?? 0;
  expect((await adminOf(orders).json<Handshakes>(`/handshakes?after=${after}`)).handshakes).toEqual([
    handshakes[1],
  ]);
  expect((await adminOf(orders).ask('/handshakes?after=x')).status).toBe(400);
});

test('POST /drain starts the drain, GET only says how far it is', async () => {
  const state = (draining: boolean, inbound: number): string => `${JSON.stringify({ draining, inbound })}\n`;
  expect(await adminOf(orders).ask('/drain')).toMatchObject({ status: 200, body: state(false, 0) });
  expect(orders.sidecar.readiness.ready).toBe(true);
  const client = await tcpClient(web.calls('orders'));
  client.write('a');
  await readExactly(client, 1);
  expect(await adminOf(orders).ask('/drain', 'POST')).toMatchObject({ status: 202, body: state(true, 1) });
  client.end();
  await readAll(client);
  await expect.poll(() => adminOf(orders).text('/drain')).toBe(state(true, 0));
  expect(await adminOf(orders).ask('/ready')).toMatchObject({ status: 503 });
  await orders.sidecar.drain();
});

describe('turns away', () => {
  test.each([
    ['a foreign Host', { host: 'evil.example.org' }],
    ['a web page', { origin: 'https://evil.example.org' }],
    ['a fetch of another site', { 'sec-fetch-site': 'cross-site' }],
  ])('%s, before anything happens', async (_, headers) => {
    expect(await adminOf(orders).ask('/drain', 'POST', headers)).toMatchObject({ status: 403 });
    expect(await adminOf(orders).ask('/dump', 'GET', headers)).toMatchObject({ status: 403 });
    expect(orders.sidecar.readiness.ready).toBe(true);
  });

  test('paths that are none', async () => {
    for (const path of ['/', '/nothing', '/__proto__', '/constructor']) {
      expect((await adminOf(orders).ask(path)).status).toBe(404);
    }
    expect((await adminOf(orders).ask('/metrics', 'DELETE')).status).toBe(405);
    expect(
      (await adminOf(orders).ask('/metrics', 'constructor'.toUpperCase())).status,
    ).toBeGreaterThanOrEqual(400);
  });

  test('a head that is too long, and one that never ends', async () => {
    const answer = async (bytes: string): Promise<string> => {
      const client = connect(orders.sidecar.addresses.admin);
      client.write(bytes);
      return (await readAll(client)).bytes.toString();
    };
    expect(await answer(`GET /ready HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}`)).toContain(
      ' 431 ',
    );
    expect(await answer('GET /ready HTTP/1.1\r\nHost: local')).toContain(' 408 ');
    expect((await adminOf(orders).ask('/ready')).status).toBe(200);
  });
});
