import { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeAuthority } from '#identity/testing';
import type { Endpoint } from '../listen/endpoint.ts';
import { adminOf } from '../testing/admin-client.ts';
import { ALLOW_ALL, TestMesh, tls, type TestSidecar } from '../testing/mesh.ts';
import { eventually, readAll, readExactly, tcpClient, tcpServer } from '../testing/sockets.ts';

/** Plaintext passes where no Allow selects the workload (design, section 5: the defaults of a fresh install). */
const OPEN = { unselected: 'AllowAuthenticated' } as const;

let mesh: TestMesh;
let application: Awaited<ReturnType<typeof tcpServer>>;
/** Times that the application was. */
let dialled: number;
beforeEach(async () => {
  dialled = 0;
  application = await tcpServer((socket) => {
    dialled += 1;
    socket.pipe(socket);
  });
});
afterEach(async () => {
  await application.close();
  await mesh.close();
});

function inbound({ sidecar }: TestSidecar): Endpoint {
  const { inbound } = sidecar.addresses;
  if (inbound === undefined) throw new Error('it has no inbound');
  return inbound;
}

async function call(to: Endpoint, text: string): Promise<{ text: string; ending: string }> {
  const client = await tcpClient(to);
  client.end(text);
  const { bytes, ending } = await readAll(client);
  return { text: bytes.toString(), ending };
}

describe('a Permissive port', () => {
  test('takes the mesh as a Strict one does', async () => {
    mesh = new TestMesh({ policy: ALLOW_ALL + tls('Permissive') });
    const orders = await mesh.start('orders', { application });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    expect(await call(web.calls('orders'), 'hello')).toEqual({ text: 'hello', ending: 'end' });
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ mode: 'mtls', peer: web.identity.toString() });
  });

  test.each([
    ['client-first', 'GET / HTTP/1.1\r\n\r\n'],
    ['one byte that begins a TLS record, then FIN', '\x16'],
    ['a TLS alert', '\x15\x03\x03\x00\x02\x01\x00'],
    ['nothing, then FIN', ''],
  ])('passes plaintext unchanged: %s', async (_, text) => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const orders = await mesh.start('orders', { application });
    expect(await call(inbound(orders), text)).toEqual({ text, ending: 'end' });
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({
      mode: 'plaintext',
      peer: undefined,
      receivedBytes: text.length,
    });
    const { plaintextPeers } = await adminOf(orders).json<{ plaintextPeers: unknown }>('/dump');
    expect(plaintextPeers).toEqual([{ address: '127.0.0.1', passed: 1, refused: 0 }]);
  });

  test('lets a server speak first after a short wait', async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const greeter = await tcpServer((socket) => socket.write('220 ready\r\n'));
    const orders = await mesh.start('orders', { application: greeter });
    const client = await tcpClient(inbound(orders));
    const start = performance.now();
    expect((await readExactly(client, 11)).toString()).toBe('220 ready\r\n');
    expect(performance.now() - start).toBeGreaterThanOrEqual(95);
    client.destroy();
    await greeter.close();
  });

  test('passes on what a server said first and last', async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const greeter = await tcpServer((socket) => socket.end('421 too many\r\n'));
    const orders = await mesh.start('orders', { application: greeter });
    const { bytes, ending } = await readAll(await tcpClient(inbound(orders)));
    expect([bytes.toString(), ending]).toEqual(['421 too many\r\n', 'end']);
    await greeter.close();
  });

  test.each([
    ['open to plaintext', tls('Permissive'), OPEN],
    ['closed to it', ALLOW_ALL + tls('Permissive'), {}],
  ])('knows a sidecar that comes to its handshake late, on a port %s', async (_, policy, defaults) => {
    mesh = new TestMesh({ policy, defaults });
    const orders = await mesh.start('orders', { application });
    // Longer than a silent peer is waited for: as if its sidecar had no CPU meanwhile.
    const late = await tcpServer((near) => {
      const far = connect({ ...inbound(orders), allowHalfOpen: true });
      far.on('error', () => near.destroy()).pipe(near);
      setTimeout(() => near.pipe(far), 300);
    });
    const web = await mesh.start('web', {
      calls: { orders: () => ({ kind: 'meshed', address: late, port: 80, identities: [orders.identity] }) },
    });
    expect(await call(web.calls('orders'), 'hello')).toEqual({ text: 'hello', ending: 'end' });
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ mode: 'mtls', peer: web.identity.toString() });
    expect(dialled).toBe(1);
    const { plaintextPeers } = await adminOf(orders).json<{ plaintextPeers: unknown }>('/dump');
    expect(plaintextPeers).toEqual([]);
    await late.close();
  });

  test('passes plaintext of a client that takes its time', async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const orders = await mesh.start('orders', { application });
    const client = await tcpClient(inbound(orders));
    await eventually(() => dialled === 1, 'the application dialled');
    client.end('hello');
    expect((await readAll(client)).bytes.toString()).toBe('hello');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ mode: 'plaintext', receivedBytes: 5, sentBytes: 5 });
  });

  test('ends a silent connection when a policy closes the port to plaintext', async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const orders = await mesh.start('orders', { application });
    const client = await tcpClient(inbound(orders));
    await eventually(() => dialled === 1, 'the application dialled');
    mesh.policy(ALLOW_ALL + tls('Permissive'));
    expect((await readAll(client)).ending).toBe('reset');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'policy-changed' });
  });

  test("passes the application's own TLS unopened, to its own end", async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const { pem } = makeAuthority().makeLeaf({ spiffeId: 'spiffe://mesh.test/ns/shop/sa/other' });
    const secure = createServer({ key: pem.key, cert: pem.chain, ALPNProtocols: ['http/1.1'] }, (socket) => {
      socket.pipe(socket);
    });
    secure.listen(0, '127.0.0.1');
    await new Promise((resolve) => secure.once('listening', resolve));
    const { port } = secure.address() as { port: number };
    const orders = await mesh.start('orders', { application: { host: '127.0.0.1', port } });
    const client = connectTls({ ...inbound(orders), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    client.write('inside');
    const echoed = await new Promise((resolve) => client.once('data', (chunk) => resolve(String(chunk))));
    expect(echoed).toBe('inside');
    expect(client.alpnProtocol).toBe('http/1.1');
    expect(client.getPeerX509Certificate()?.raw).toEqual(new X509Certificate(pem.chain).raw);
    client.destroy();
    secure.close();
  });

  test('asks the policy about plaintext as about everybody', async () => {
    mesh = new TestMesh({ policy: ALLOW_ALL + tls('Permissive') });
    const orders = await mesh.start('orders', { application });
    expect(await call(inbound(orders), 'hello')).toEqual({ text: '', ending: 'reset' });
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({
      mode: 'plaintext',
      reason: 'no-identity',
      receivedBytes: 0,
    });
    const { plaintextPeers } = await adminOf(orders).json<{ plaintextPeers: unknown }>('/dump');
    expect(plaintextPeers).toEqual([{ address: '127.0.0.1', passed: 0, refused: 1 }]);
  });

  test('gives up on a ClientHello that stops in the middle', async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: OPEN });
    const orders = await mesh.start('orders', { application, limits: { handshakeTimeoutMilliseconds: 150 } });
    const client = await tcpClient(inbound(orders));
    client.write(Buffer.from('16030100ff0100', 'hex'));
    expect((await readAll(client)).ending).toBe('reset');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'detection-timeout', detail: '7 bytes came' });
  });
});

describe('a Disabled port', () => {
  test('splices plaintext, counted', async () => {
    mesh = new TestMesh({ policy: tls('Disabled'), defaults: OPEN });
    const orders = await mesh.start('orders', { application, credential: 'none' });
    expect(await call(inbound(orders), 'hello')).toEqual({ text: 'hello', ending: 'end' });
    const metrics = await adminOf(orders).text('/metrics');
    expect(metrics).toMatch(/sallyport_connections_plaintext_total\{.*mode="disabled".*\} 1/);
  });

  test('refuses mesh TLS by name instead of handing it to an application that cannot read it', async () => {
    mesh = new TestMesh({ policy: tls('Disabled'), defaults: OPEN });
    const orders = await mesh.start('orders', { application });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    expect((await call(web.calls('orders'), 'hello')).ending).toBe('reset');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'mesh-tls-disabled', receivedBytes: 0 });
  });
});
