import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestMesh, type TestSidecar } from './testing/mesh.ts';
import { cuttableRelay } from './testing/relay.ts';
import { eventually, readAll, readExactly, tcpClient, tcpServer } from './testing/sockets.ts';

const MIB = 1024 * 1024;

let mesh: TestMesh;
beforeEach(() => {
  mesh = new TestMesh();
});
afterEach(() => mesh.close());

interface Pair {
  readonly web: TestSidecar;
  readonly orders: TestSidecar;
  /** The application of orders, once it has a connection. */
  readonly served: Promise<Socket>;
  readonly client: Socket;
}

/** web's application connected through both sidecars to orders' application, which does what `serve` says. */
async function pair(serve: (socket: Socket) => void = () => undefined): Promise<Pair> {
  const served = Promise.withResolvers<Socket>();
  const application = await tcpServer((socket) => {
    serve(socket);
    served.resolve(socket);
  });
  mesh.scope.defer(() => application.close());
  const orders = await mesh.start('orders', { application });
  const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
  const client = await tcpClient(web.calls('orders'));
  mesh.scope.defer(() => void client.destroy());
  return { web, orders, served: served.promise, client };
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('bytes', () => {
  test('10 MiB each way at once arrive as they were sent', async () => {
    const [up, down] = [randomBytes(10 * MIB), randomBytes(10 * MIB)];
    const { client, served } = await pair((socket) => socket.end(down));
    client.end(up);
    const [got, taken] = await Promise.all([readAll(client), served.then(readAll)]);
    expect([got.ending, taken.ending]).toEqual(['end', 'end']);
    expect(hash(got.bytes)).toBe(hash(down));
    expect(hash(taken.bytes)).toBe(hash(up));
  });

  test('each side leaves one line, with both identities, the policy, and one trace', async () => {
    const { client, web, orders } = await pair((socket) => socket.pipe(socket));
    client.end('hello');
    expect((await readAll(client)).bytes.toString()).toBe('hello');
    await eventually(() => web.connections().length + orders.connections().length === 2, 'both lines');
    const [outbound, inbound] = [web.connections()[0], orders.connections()[0]];
    // Whom it reached, not the application that called.
    const { inbound: reached = { host: '', port: 0 } } = orders.sidecar.addresses;
    expect(outbound?.peerAddress).toBe(`${reached.host}:${reached.port}`);
    const [a, b] = [web.identity.toString(), orders.identity.toString()];
    const bytes = { receivedBytes: 5, sentBytes: 5, mode: 'mtls', level: 'info' };
    expect(outbound).toMatchObject({
      direction: 'outbound',
      local: a,
      peer: b,
      destination: 'orders:80',
      ...bytes,
    });
    expect(inbound).toMatchObject({ direction: 'inbound', local: b, peer: a, policy: 'shop/all', ...bytes });
    expect(inbound?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(inbound?.traceId).toBe(outbound?.traceId);
    expect(mesh.handshakes('web')).toMatchObject([{ role: 'client', result: 'ok', alpn: 'sallyport/1' }]);
    expect(mesh.handshakes('orders')).toMatchObject([{ role: 'server', result: 'ok', policy: 'shop/all' }]);
  });

  test('what the application sends before the mesh connection stands is kept', async () => {
    const sent = randomBytes(3 * MIB);
    const application = await tcpServer((socket) => socket.pipe(socket));
    const orders = await mesh.start('orders', { application });
    const relay = await cuttableRelay(orders.sidecar.addresses.inbound, { delayMilliseconds: 300 });
    const { identity } = orders;
    const route = () => ({ kind: 'meshed', address: relay, port: 80, identities: [identity] }) as const;
    const web = await mesh.start('web', { calls: { orders: route } });
    const client = await tcpClient(web.calls('orders'));
    client.end(sent);
    expect(hash((await readAll(client)).bytes)).toBe(hash(sent));
    await Promise.all([application.close(), relay.close()]);
  });

  test('a server may speak first', async () => {
    const { client } = await pair((socket) => socket.write('220 ready\r\n'));
    expect((await readExactly(client, 11)).toString()).toBe('220 ready\r\n');
  });

  test('200 connections at once', async () => {
    const { web } = await pair((socket) => socket.pipe(socket));
    const echoes = Array.from({ length: 200 }, async (_, index) => {
      const client = await tcpClient(web.calls('orders'));
      client.end(`I am ${index}`);
      return (await readAll(client)).bytes.toString() === `I am ${index}`;
    });
    expect((await Promise.all(echoes)).every(Boolean)).toBe(true);
  });

  test('a reader that stops stops the writer, and gets everything once it reads', async () => {
    const sent = randomBytes(64 * MIB);
    let taken = 0;
    const { client, web, orders } = await pair((socket) => {
      const write = (): void => {
        while (taken < sent.length) {
          const part = sent.subarray(taken, taken + 65_536);
          taken += part.length;
          if (!socket.write(part)) return void socket.once('drain', write);
        }
        socket.end();
      };
      write();
    });
    // The kernel's own buffers fill first; what the sidecars take beyond them must stop as well.
    let before: number;
    do {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 200));
    } while (before === 0 || before < taken);
    expect(taken).toBeLessThan(sent.length / 2);
    expect(hash((await readAll(client)).bytes)).toBe(hash(sent));
    client.end();
    await eventually(() => web.connections().length + orders.connections().length === 2, 'both lines');
    expect(web.connections()[0]).toMatchObject({ receivedBytes: sent.length, level: 'info' });
  });
});

describe('endings', () => {
  test('the caller may end first and still be answered', async () => {
    const { client, served } = await pair();
    client.end('question');
    const server = await served;
    expect(await readAll(server)).toMatchObject({ ending: 'end' });
    server.end('answer');
    const { bytes, ending } = await readAll(client);
    expect([bytes.toString(), ending]).toEqual(['answer', 'end']);
  });

  test('the callee may end first and still be told', async () => {
    const { client, served } = await pair((socket) => socket.end('bye'));
    expect((await readAll(client)).bytes.toString()).toBe('bye');
    client.end('one more thing');
    const { bytes, ending } = await readAll(await served);
    expect([bytes.toString(), ending]).toEqual(['one more thing', 'end']);
  });

  test('a reset of either side is a reset for the other, and says whose it was', async () => {
    const { client, served, web, orders } = await pair((socket) => socket.write('x'));
    await readExactly(client, 1);
    const server = await served;
    const ending = readAll(server);
    client.resetAndDestroy();
    expect((await ending).ending).toBe('reset');
    await eventually(() => web.connections().length + orders.connections().length === 2, 'both lines');
    expect(web.connections()[0]).toMatchObject({ reason: 'application-reset', level: 'warn' });
    expect(orders.connections()[0]).toMatchObject({ reason: 'transport-failed', detail: 'ECONNRESET' });
  });

  test('a reset by the callee reaches the caller', async () => {
    const { client, orders } = await pair((socket) => socket.once('data', () => socket.resetAndDestroy()));
    client.write('x');
    expect((await readAll(client)).ending).toBe('reset');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'application-reset' });
  });

  test.each(['fin', 'reset'] as const)('a mesh connection cut by %s never looks like an end', async (how) => {
    const served = Promise.withResolvers<Socket>();
    const application = await tcpServer((socket) => {
      socket.write('half of a message');
      served.resolve(socket);
    });
    const orders = await mesh.start('orders', { application });
    const relay = await cuttableRelay(orders.sidecar.addresses.inbound);
    const { identity } = orders;
    const route = () => ({ kind: 'meshed', address: relay, port: 80, identities: [identity] }) as const;
    const web = await mesh.start('web', { calls: { orders: route } });
    const client = await tcpClient(web.calls('orders'));
    await readExactly(client, 17);
    const endings = [readAll(client), served.promise.then(readAll)];
    relay.cut(how);
    expect((await Promise.all(endings)).map(({ ending }) => ending)).toEqual(['reset', 'reset']);
    await eventually(() => web.connections().length + orders.connections().length === 2, 'both lines');
    const reason = how === 'fin' ? 'truncated' : 'transport-failed';
    for (const side of [web, orders]) expect(side.connections()[0]).toMatchObject({ reason });
    await Promise.all([application.close(), relay.close()]);
  });
});
