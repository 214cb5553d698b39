import { connect as connectNodeTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ignoreEvents } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { connectTls } from '#handshake/stream';
import { serviceAccountId, spiffeVerifier } from '#identity';
import { makeAuthority } from '#identity/testing';
import { Watch } from '#runtime';
import type { Destination } from './config.ts';
import type { Endpoint } from './listen/endpoint.ts';
import { TestMesh, TRUST_DOMAIN, type TestSidecar } from './testing/mesh.ts';
import { eventually, readAll, tcpClient, tcpServer } from './testing/sockets.ts';

let mesh: TestMesh;
let application: Awaited<ReturnType<typeof tcpServer>>;
let reached: number;
beforeEach(async () => {
  mesh = new TestMesh();
  reached = 0;
  application = await tcpServer((socket) => {
    reached += 1;
    socket.pipe(socket);
  });
});
afterEach(async () => {
  await application.close();
  await mesh.close();
});

/** The one line of a connection that was to fail. */
async function line(of: TestSidecar): Promise<Readonly<Record<string, unknown>>> {
  await eventually(() => of.connections().length > 0, 'the line');
  expect(of.connections()).toHaveLength(1);
  return of.connections()[0] ?? {};
}

function inbound({ sidecar }: TestSidecar): Endpoint {
  const { inbound } = sidecar.addresses;
  if (inbound === undefined) throw new Error('it has no inbound');
  return inbound;
}

/** web calls orders by this route; the application's socket must be reset without a byte, and orders' not reached. */
async function failingCall(
  route: () => Destination,
  web: Parameters<TestMesh['start']>[1] = {},
): Promise<TestSidecar> {
  const sidecar = await mesh.start('web', { ...web, calls: { orders: route } });
  const client = await tcpClient(sidecar.calls('orders'));
  client.write('secret');
  expect(await readAll(client)).toMatchObject({ ending: 'reset', bytes: Buffer.alloc(0) });
  expect(reached).toBe(0);
  return sidecar;
}

describe('outbound fails closed', () => {
  test('without a credential', async () => {
    const orders = await mesh.start('orders', { application });
    const web = await failingCall(mesh.to(orders), { credential: 'none' });
    expect(await line(web)).toMatchObject({ reason: 'no-credential', blame: 'local' });
    expect(web.sidecar.readiness).toMatchObject({ ready: false, reasons: [{ code: 'no-credential' }] });
    expect(orders.connections()).toEqual([]);
    web.credentials.set(mesh.issue(web.identity.toString()));
    const client = await tcpClient(web.calls('orders'));
    client.end('now');
    expect((await readAll(client)).bytes.toString()).toBe('now');
  });

  test('with a credential that has ended', async () => {
    const orders = await mesh.start('orders', { application });
    const web = await failingCall(mesh.to(orders), { credential: { notAfter: Date.now() - 1_000 } });
    expect(await line(web)).toMatchObject({ reason: 'credential-expired' });
  });

  test("with somebody else's credential", async () => {
    const orders = await mesh.start('orders', { application });
    const credentials = new Watch(mesh.issue(`spiffe://${TRUST_DOMAIN}/ns/shop/sa/billing`));
    const web = await failingCall(mesh.to(orders), { override: { credentials } });
    expect(await line(web)).toMatchObject({ reason: 'credential-mismatch' });
  });

  test('to a destination that is not known', async () => {
    const web = await failingCall(() => ({ kind: 'unknown' }));
    expect(await line(web)).toMatchObject({ reason: 'destination-unknown', detail: 'orders' });
    expect((await line(web)).peerAddress).toBeUndefined();
  });

  test('to a meshed destination without an identity to expect, or with two trust domains', async () => {
    const orders = await mesh.start('orders', { application });
    const web = await failingCall(mesh.to(orders, 80, []));
    expect(await line(web)).toMatchObject({ reason: 'destination-unknown' });
    const foreign = serviceAccountId('other.test', 'shop', 'orders');
    const other = await failingCall(mesh.to(orders, 80, [orders.identity, foreign]));
    expect(await line(other)).toMatchObject({ reason: 'destination-unknown' });
  });

  test('to a server that proves another identity', async () => {
    const orders = await mesh.start('orders', { application });
    const expected = serviceAccountId(TRUST_DOMAIN, 'shop', 'payments');
    const web = await failingCall(mesh.to(orders, 80, [expected]));
    const { reason, detail } = await line(web);
    expect(reason).toBe('spiffe-id-mismatch');
    for (const who of [web.identity, orders.identity, expected]) expect(detail).toContain(who.toString());
    expect(await line(orders)).toMatchObject({ reason: 'alert-received' });
    expect(mesh.handshakes('web')).toMatchObject([{ result: 'failed', reason: 'spiffe-id-mismatch' }]);
  });

  test('to a server of another authority', async () => {
    const orders = await mesh.start('orders', { application });
    const bundle = new Watch(makeAuthority({ trustDomain: TRUST_DOMAIN }).bundle);
    const web = await failingCall(mesh.to(orders), { override: { bundle } });
    expect(await line(web)).toMatchObject({ reason: 'unknown-authority' });
  });

  test('to another port than the one that was called', async () => {
    const orders = await mesh.start('orders', { application });
    await failingCall(mesh.to(orders, 81));
    expect(await line(orders)).toMatchObject({ reason: 'server-name-mismatch' });
  });

  test('to a destination that speaks no TLS: never plaintext after a failed handshake', async () => {
    let heard = '';
    const plain = await tcpServer((socket) => {
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
      socket.write('220 hello\r\n');
    });
    const identities = [serviceAccountId(TRUST_DOMAIN, 'shop', 'orders')];
    const web = await failingCall(() => ({ kind: 'meshed', address: plain, port: 80, identities }));
    expect(await line(web)).toMatchObject({ reason: 'not-tls' });
    expect(heard).not.toContain('secret');
    await plain.close();
  });

  test('to nobody, after a second try and fresh looks at the route', async () => {
    const orders = await mesh.start('orders', { application });
    const gone = await tcpServer(() => undefined);
    await gone.close();
    let asked = 0;
    const web = await failingCall(() => {
      asked += 1;
      return { kind: 'meshed', address: gone, port: 80, identities: [orders.identity] };
    });
    expect(await line(web)).toMatchObject({ reason: 'connect-refused', detail: `127.0.0.1:${gone.port}` });
    expect(asked).toBe(3);
    expect(await line(web)).toMatchObject({ peerAddress: `127.0.0.1:${gone.port}`, tries: 2 });
  });

  test('but a callee that has moved is found by the second look', async () => {
    const orders = await mesh.start('orders', { application });
    const gone = await tcpServer(() => undefined);
    await gone.close();
    const routes = [gone, inbound(orders)];
    const route = (): Destination => {
      const address = routes.shift() ?? gone;
      return { kind: 'meshed', address, port: 80, identities: [orders.identity] };
    };
    const web = await mesh.start('web', { calls: { orders: route } });
    const client = await tcpClient(web.calls('orders'));
    client.end('found');
    expect((await readAll(client)).bytes.toString()).toBe('found');
  });
});

test('a destination that is declared unmeshed is called in plaintext', async () => {
  const web = await mesh.start('web', {
    credential: 'none',
    calls: { legacy: () => ({ kind: 'unmeshed', address: application }) },
  });
  const client = await tcpClient(web.calls('legacy'));
  client.end('hello');
  expect((await readAll(client)).bytes.toString()).toBe('hello');
  expect(await line(web)).toMatchObject({ mode: 'plaintext', destination: 'legacy', sentBytes: 5 });
});

describe('a Strict port', () => {
  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['one byte', '\x00'],
  ])('refuses plaintext by name: %s', async (_, text) => {
    const orders = await mesh.start('orders', { application });
    const client = await tcpClient(inbound(orders));
    client.write(text);
    expect((await readAll(client)).ending).toBe('reset');
    expect(await line(orders)).toMatchObject({ reason: 'plaintext-refused', mode: 'plaintext' });
    expect(reached).toBe(0);
    expect(mesh.handshakes('orders')).toMatchObject([{ result: 'refused', reason: 'plaintext-refused' }]);
  });

  test('lets the engine judge what looks like TLS', async () => {
    const orders = await mesh.start('orders', { application });
    const client = await tcpClient(inbound(orders));
    client.write(Buffer.from('160301ffff00', 'hex'));
    await readAll(client);
    client.end();
    expect(await line(orders)).toMatchObject({ reason: 'record-overflow' });
    expect(reached).toBe(0);
  });

  test('refuses TLS that is not ours: no client certificate, no ALPN', async () => {
    const orders = await mesh.start('orders', { application });
    const foreign = connectNodeTls({ ...inbound(orders), rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const error = await new Promise<Error>((resolve) => foreign.on('error', resolve));
    expect(String(error)).toMatch(/alert/i);
    expect(['no-common-alpn', 'server-name-mismatch']).toContain((await line(orders)).reason);
  });

  test('refuses a caller of the mesh that shows no certificate', async () => {
    const orders = await mesh.start('orders', { application });
    const socket = await tcpClient(inbound(orders));
    const config = {
      crypto: nodeProvider,
      alpn: ['sallyport/1'],
      serverName: `p80.${TRUST_DOMAIN}`,
      verifier: spiffeVerifier({ bundle: mesh.bundle, clock: mesh.clock }),
    };
    const options = { clock: mesh.clock, handshakeTimeoutMilliseconds: 5_000, observer: ignoreEvents };
    const stream = connectTls(socket, config, options);
    const failed = new Promise((resolve) => stream.on('error', resolve));
    stream.on('data', () => undefined);
    await stream.handshake();
    stream.write('let me in');
    expect(await failed).toMatchObject({ code: 'alert-received' });
    expect(await line(orders)).toMatchObject({ reason: 'certificate-required' });
    expect(reached).toBe(0);
    expect(mesh.handshakes('orders')).toMatchObject([{ result: 'failed', reason: 'certificate-required' }]);
  });

  test('takes a port check for what it is: no failure', async () => {
    const orders = await mesh.start('orders', { application });
    const client = await tcpClient(inbound(orders));
    client.end();
    expect((await readAll(client)).ending).toBe('end');
    expect(await line(orders)).toMatchObject({ level: 'info', receivedBytes: 0, mode: 'none' });
    expect(mesh.handshakes('orders')).toEqual([]);
  });

  test('gives up on a peer that says nothing, and on one that stops in the middle', async () => {
    const orders = await mesh.start('orders', { application, limits: { handshakeTimeoutMilliseconds: 100 } });
    const silent = await tcpClient(inbound(orders));
    expect((await readAll(silent)).ending).toBe('reset');
    expect(await line(orders)).toMatchObject({ reason: 'first-byte-timeout' });
    const stalled = await tcpClient(inbound(orders));
    stalled.write(Buffer.from('1603', 'hex'));
    await readAll(stalled);
    stalled.end();
    await eventually(() => orders.connections().length === 2, 'the second line');
    expect(orders.connections()[1]).toMatchObject({ reason: 'handshake-timeout' });
  });

  test('without a credential refuses and says why', async () => {
    const orders = await mesh.start('orders', { application, credential: 'none' });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    expect((await readAll(await tcpClient(web.calls('orders')))).ending).toBe('reset');
    expect(await line(orders)).toMatchObject({ reason: 'no-credential' });
  });
});

test('an application that does not listen is named, not the caller', async () => {
  await application.close();
  const orders = await mesh.start('orders', { application });
  const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
  expect((await readAll(await tcpClient(web.calls('orders')))).ending).toBe('reset');
  const { reason, detail, peer } = await line(orders);
  expect([reason, peer]).toEqual(['application-unreachable', web.identity.toString()]);
  expect(detail).toContain(`connect-refused 127.0.0.1:${application.port}`);
});
