import { readdirSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ok, Watch } from '#runtime';
import { freePort } from '#runtime/testing';
import { SidecarConfigError } from './config.ts';
import { Destinations } from './discover/destinations.ts';
import { openSocketCalls } from './intercept/socket-calls.ts';
import { isLoopback } from './listen/endpoint.ts';
import { addressesHere } from './listen/own-addresses.ts';
import { adminOf } from './testing/admin-client.ts';
import { ALLOW_ALL, TestMesh, type TestSidecar, tls } from './testing/mesh.ts';
import { eventually, readAll, readExactly, tcpClient, tcpServer } from './testing/sockets.ts';

const calls = await openSocketCalls();
if (!calls.ok) throw new Error(calls.error.detail);
const { listensAt } = calls.value;

let mesh: TestMesh;
let application: Awaited<ReturnType<typeof tcpServer>>;
beforeEach(async () => {
  mesh = new TestMesh();
  application = await tcpServer((socket) => socket.pipe(socket));
});
afterEach(async () => {
  await application.close();
  await mesh.close();
});

async function exchange(endpoint: { host: string; port: number }, text: string): Promise<string> {
  const client = await tcpClient(endpoint);
  client.end(text);
  return (await readAll(client)).bytes.toString();
}

async function both(limits = {}): Promise<{ web: TestSidecar; orders: TestSidecar }> {
  const orders = await mesh.start('orders', { application, limits });
  const web = await mesh.start('web', { calls: { orders: mesh.to(orders) }, limits });
  return { web, orders };
}

describe('drain', () => {
  test('lets a live connection finish, refuses new ones after the grace, and ends with the last one', async () => {
    const { web, orders } = await both({ drainGraceMilliseconds: 100 });
    const client = await tcpClient(web.calls('orders'));
    client.write('a');
    await readExactly(client, 1);
    let drained = false;
    const draining = orders.sidecar.drain().then(() => {
      drained = true;
    });
    expect(orders.sidecar.readiness).toMatchObject({ ready: false, reasons: [{ code: 'draining' }] });
    expect(await exchange(web.calls('orders'), 'in the grace')).toBe('in the grace');
    const { inbound } = orders.sidecar.addresses;
    await new Promise((resolve) => setTimeout(resolve, 150));
    await expect(tcpClient(inbound ?? { host: '', port: 0 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.write('b');
    expect((await readExactly(client, 1)).toString()).toBe('b');
    expect(drained).toBe(false);
    client.end();
    await readAll(client);
    await draining;
  });

  test('resets at the deadline what did not finish, by name', async () => {
    const { web, orders } = await both({ drainDeadlineMilliseconds: 100 });
    const client = await tcpClient(web.calls('orders'));
    client.write('a');
    await readExactly(client, 1);
    const ending = readAll(client);
    await orders.sidecar.drain();
    expect((await ending).ending).toBe('reset');
    expect(orders.connections()).toMatchObject([{ reason: 'drain-deadline' }]);
  });

  test('in a pod has no deadline until the program is told to stop', async (context) => {
    const [address] = addressesHere().filter((host) => isIPv4(host) && !isLoopback(host));
    if (address === undefined) return context.skip('this machine has no address but loopback');
    const server = await tcpServer((socket) => socket.pipe(socket), address);
    const ports = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ] as const;
    const orders = await mesh.start('orders', {
      limits: { drainDeadlineMilliseconds: 100 },
      override: {
        admin: { host: '127.0.0.1', port: ports[4] },
        capture: {
          inboundPort: ports[0],
          outboundPort: ports[1],
          statusPort: ports[2],
          verificationPort: ports[3],
          originalDestination: () => ok(server),
          resetOnDeath: () => undefined,
          listensAt,
          destinations: new Watch(new Destinations([], [], ports[2])),
          serverFirstPorts: new Set(),
          probes: [],
          adviseAfterMilliseconds: undefined,
        },
      },
    });
    mesh.policy(`${ALLOW_ALL.replace('namespaces: [shop]', 'peer: Any')}${tls('Disabled')}`);
    const client = await tcpClient({ host: '127.0.0.1', port: ports[0] });
    client.write('a');
    await readExactly(client, 1);
    await adminOf(orders).ask('/drain', 'POST');
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.write('b');
    expect((await readExactly(client, 1)).toString()).toBe('b');
    // Nor does it refuse those that still come: the application's own port says when it takes no more.
    expect(await exchange({ host: '127.0.0.1', port: ports[0] }, 'late')).toBe('late');
    if (listensAt(server) !== undefined) {
      server.server.close();
      // Before a byte of a handshake: the caller's sidecar tries another endpoint. What is under way goes on.
      const refused = await tcpClient({ host: '127.0.0.1', port: ports[0] });
      expect(await readAll(refused)).toMatchObject({ bytes: Buffer.alloc(0), ending: 'reset' });
      client.write('c');
      expect((await readExactly(client, 1)).toString()).toBe('c');
    }
    const ending = readAll(client);
    await orders.sidecar.drain();
    expect((await ending).ending).toBe('reset');
    await server.close();
  });

  test('leaves outbound alone, to the end', async () => {
    const { web, orders } = await both();
    await web.sidecar.drain();
    expect(await exchange(web.calls('orders'), 'still calling')).toBe('still calling');
    expect(orders.sidecar.readiness.ready).toBe(true);
  });
});

describe('the end of the scope', () => {
  test('ends every connection by name, and every port', async () => {
    const { web, orders } = await both();
    const client = await tcpClient(web.calls('orders'));
    client.write('a');
    await readExactly(client, 1);
    const ending = readAll(client);
    await Promise.all([orders.scope.close(), web.scope.close()]);
    expect((await ending).ending).toBe('reset');
    expect(web.connections()).toMatchObject([{ reason: expect.stringMatching(/shutdown|transport-failed/) }]);
    for (const endpoint of [web.calls('orders'), orders.sidecar.addresses.admin]) {
      await expect(tcpClient(endpoint)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
  });

  test('ends what is still being detected or dialled', async () => {
    const { orders } = await both();
    const silent = await tcpClient(orders.sidecar.addresses.inbound ?? { host: '', port: 0 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await orders.scope.close();
    expect((await readAll(silent)).ending).toBe('reset');
    expect(orders.connections()).toMatchObject([{ reason: 'shutdown' }]);
  });

  test('leaves no descriptor, whatever ended the connections', async ({ skip }) => {
    skip(process.platform !== 'linux', 'descriptors are counted in /proc, which only Linux has');
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    await exchange(application, 'warm');
    const before = descriptors();
    const { web, orders } = await both({ drainDeadlineMilliseconds: 50 });
    const endpoint = web.calls('orders');
    const inbound = orders.sidecar.addresses.inbound ?? { host: '', port: 0 };
    const work = Array.from({ length: 40 }, async (_, index) => {
      const client = await tcpClient(index % 4 === 3 ? inbound : endpoint);
      if (index % 4 === 0) client.end('clean');
      else if (index % 4 === 1) client.once('data', () => client.resetAndDestroy()).write('reset');
      else if (index % 4 === 2) client.once('data', () => client.destroy()).write('gone');
      else client.write('plain');
      await readAll(client);
      client.destroy();
    });
    await Promise.all(work);
    await orders.sidecar.drain();
    await Promise.all([orders.scope.close(), web.scope.close()]);
    expect(web.connections().length + orders.connections().length).toBe(30 + 40);
    await eventually(() => descriptors() <= before, `descriptors return to ${before}`);
  });
});

describe('limits', () => {
  test('a connection beyond the cap is reset and counted; one more fits when one has ended', async () => {
    const { web } = await both({ connections: 1 });
    const first = await tcpClient(web.calls('orders'));
    first.write('a');
    await readExactly(first, 1);
    expect((await readAll(await tcpClient(web.calls('orders')))).ending).toBe('reset');
    const refused = web.lines.filter(({ message }) => message === 'connection refused');
    expect(refused).toMatchObject([{ reason: 'too-many-connections', direction: 'outbound', cases: 1 }]);
    first.end();
    await readAll(first);
    await eventually(() => web.connections().length === 1, 'the first is over');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await exchange(web.calls('orders'), 'fits')).toBe('fits');
  });

  test('the longest inbound handshake gives way when there are too many, by name', async () => {
    const { orders, web } = await both({ handshakes: 1 });
    const inbound = orders.sidecar.addresses.inbound ?? { host: '', port: 0 };
    const first = readAll(await tcpClient(inbound));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = readAll(await tcpClient(inbound));
    expect((await first).ending).toBe('reset');
    expect(orders.connections()).toMatchObject([{ reason: 'too-many-handshakes' }]);
    // Whoever has something to say gets in beside any number of those who have not.
    expect(await exchange(web.calls('orders'), 'a call')).toBe('a call');
    expect((await second).ending).toBe('reset');
    const refused = orders.connections().filter(({ reason }) => reason === 'too-many-handshakes');
    expect(refused).toHaveLength(2);
    // A place is free again once its handshake is over, however that ended.
    const free = async () =>
      (await adminOf(orders).json<{ handshakesInProgress: number }>('/dump')).handshakesInProgress;
    await expect.poll(free).toBe(0);
    const plain = await tcpClient(inbound);
    plain.write('GET / HTTP/1.1');
    await readAll(plain);
    await eventually(() => orders.connections().at(-1)?.reason === 'plaintext-refused', 'the last line');
    await expect.poll(free).toBe(0);
  });

  test('strangers who fill the inbound handshakes do not keep the service from calling others', async () => {
    const orders = await mesh.start('orders', { application });
    const calls = { orders: mesh.to(orders) };
    const web = await mesh.start('web', { application, calls, limits: { handshakes: 1 } });
    const inbound = web.sidecar.addresses.inbound ?? { host: '', port: 0 };
    const silent = await tcpClient(inbound);
    const inProgress = async () =>
      (await adminOf(web).json<{ handshakesInProgress: number }>('/dump')).handshakesInProgress;
    await expect.poll(inProgress).toBe(1);
    const client = await tcpClient(web.calls('orders'));
    client.write('a');
    await readExactly(client, 1);
    silent.resetAndDestroy();
  });

  test('an idle connection is reset on both sides', async () => {
    const { web, orders } = await both({ idleTimeoutMilliseconds: 150 });
    const client = await tcpClient(web.calls('orders'));
    client.write('a');
    await readExactly(client, 1);
    expect((await readAll(client)).ending).toBe('reset');
    await eventually(() => web.connections().length + orders.connections().length === 2, 'both lines');
    expect([web.connections()[0], orders.connections()[0]].map((line) => line?.reason)).toContain(
      'idle-timeout',
    );
  });
});

describe('start', () => {
  test('names every mistake of the configuration at once', async () => {
    const outside = { host: '0.0.0.0', port: 0 };
    const starting = mesh.start('web', {
      application: { host: '127.0.0.1', port: 0 },
      limits: { handshakes: 0, idleTimeoutMilliseconds: Number.NaN },
      override: {
        admin: outside,
        outbound: [{ service: 'orders', listen: outside, route: () => ({ kind: 'unknown' }) }],
      },
    });
    const error = await starting.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SidecarConfigError);
    const mistakes = (error as SidecarConfigError).mistakes.join('\n');
    for (const what of ['application.port', 'handshakes', 'idleTimeout', 'admin', 'outbound orders']) {
      expect(mistakes).toContain(what);
    }
  });

  test('leaves nothing bound when one port is taken', async () => {
    const admin = { host: '127.0.0.1', port: application.port };
    const free = await tcpServer(() => undefined);
    await free.close();
    const outbound = [{ service: 'orders', listen: free, route: () => ({ kind: 'unknown' }) as const }];
    const starting = mesh.start('web', { override: { admin, outbound } });
    await expect(starting).rejects.toThrow(`admin of web cannot listen on 127.0.0.1:${application.port}`);
    await expect(tcpClient(free)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
