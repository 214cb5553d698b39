import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serviceAccountId } from '#identity';
import type { Destination } from '../config.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import { TestMesh, type TestSidecar, TRUST_DOMAIN } from '../testing/mesh.ts';
import { readAll, tcpClient, tcpServer } from '../testing/sockets.ts';
import type { EndpointSet, MeshedCallee, ServiceEndpoint } from './endpoint-set.ts';

type Server = Awaited<ReturnType<typeof tcpServer>>;

let mesh: TestMesh;
let servers: Server[];

beforeEach(() => {
  mesh = new TestMesh();
  servers = [];
});

afterEach(async () => {
  await mesh.close();
  for (const server of servers) await server.close();
});

async function server(onSocket: Parameters<typeof tcpServer>[0]): Promise<Endpoint> {
  const made = await tcpServer(onSocket);
  servers.push(made);
  return { host: made.host, port: made.port };
}

/** A service that says its name and ends when the caller does. */
async function named(name: string): Promise<TestSidecar> {
  const application = await server((socket) => {
    socket.on('data', () => undefined).on('end', () => socket.end(name));
  });
  return mesh.start(name, { application });
}

function endpointOf(sidecar: TestSidecar): MeshedCallee {
  return mesh.to(sidecar)();
}

const ORDERS = [serviceAccountId(TRUST_DOMAIN, 'shop', 'orders')];

function setOf(endpoints: readonly ServiceEndpoint[]): EndpointSet {
  return { service: 'orders.shop:80', endpoints };
}

/** web calls the set; what came back, and how it ended. */
async function call(web: TestSidecar): Promise<string> {
  const client = await tcpClient(web.calls('orders'));
  client.end('request');
  const { bytes, ending } = await readAll(client);
  return ending === 'reset' ? 'reset' : bytes.toString();
}

async function refusing(): Promise<Endpoint> {
  const gone = await tcpServer(() => undefined);
  await gone.close();
  return gone;
}

describe('what was never sent is tried elsewhere', () => {
  test.each([
    ['refuses', refusing, 'connect-refused'],
    ['speaks no TLS', () => server((socket) => socket.end('220 hello\r\n')), 'not-tls'],
    [
      'ends the connection',
      () => server((socket) => socket.on('data', () => socket.resetAndDestroy())),
      'transport-failed',
    ],
    ['says nothing', () => server((socket) => socket.on('data', () => undefined)), 'handshake-timeout'],
  ])('an endpoint that %s', async (_, make, reason) => {
    const orders = await named('orders');
    const bad: ServiceEndpoint = { kind: 'meshed', address: await make(), port: 80, identities: ORDERS };
    const set = setOf([bad, endpointOf(orders)]);
    const web = await mesh.start('web', {
      calls: { orders: () => ({ kind: 'service', endpoints: set }) },
      // Of the one that says nothing; the other's handshake has to be done within it, on whatever machine.
      limits: { handshakeTimeoutMilliseconds: reason === 'handshake-timeout' ? 5_000 : 60_000 },
      // Ties go to the first that was drawn.
      override: { random: firstKey(set, bad) },
    });
    expect(await call(web)).toBe('orders');
    const ejected = web.lines.filter(({ message }) => message === 'endpoint ejected');
    expect(ejected).toMatchObject([
      { called: 'orders.shop:80', endpoint: `${bad.address.host}:${bad.address.port}`, reason },
    ]);
    // From now on it is left alone: for a second, up to a fifth shorter, and longer each time.
    const ejectedAt = performance.now();
    for (let again = 0; again < 5; again += 1) expect(await call(web)).toBe('orders');
    const page = await mesh.telemetry.metricsText('web');
    const counted = (name: string): number =>
      Number(new RegExp(`^${name}\\{service="web",reason="${reason}"\\} (\\d+)$`, 'm').exec(page)?.[1]);
    const retries = counted('sallyport_connections_retries_total');
    expect(retries).toBeGreaterThanOrEqual(1);
    expect(retries).toBeLessThanOrEqual(1 + Math.floor((performance.now() - ejectedAt + 1_000) / 800));
    expect(counted('sallyport_endpoints_ejections_total')).toBe(retries);
    expect(page).toMatch(/^sallyport_endpoints_ejected\{service="web"\} [01]$/m);
    expect(web.connections()[0]).toMatchObject({
      tries: 2,
      peerAddress: expect.stringContaining('127.0.0.1:'),
    });
  });

  test('whoever answers with another identity is not taken, and the source is asked anew', async () => {
    const orders = await named('orders');
    const imposter = await named('billing');
    const asked: boolean[] = [];
    const wrong: ServiceEndpoint = { ...endpointOf(imposter), identities: ORDERS };
    const route = (mistaken: boolean): Destination => {
      asked.push(mistaken);
      return { kind: 'service', endpoints: setOf([mistaken ? endpointOf(orders) : wrong]) };
    };
    const web = await mesh.start('web', { calls: { orders: route } });
    expect(await call(web)).toBe('orders');
    expect(asked).toEqual([false, true]);
    const results = mesh.handshakes('web').map(({ result, reason }) => [result, reason]);
    expect(results).toEqual([
      ['failed', 'spiffe-id-mismatch'],
      ['ok', undefined],
    ]);
  });

  test.each(['unmeshed', 'self', 'egress', 'service'] as const)(
    'who was %s and got a sidecar while we connected gets no byte in plaintext, but mutual TLS',
    async (kind) => {
      let heard = '';
      const address = await server((socket) => {
        socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
      });
      const orders = endpointOf(await named('orders'));
      const first: Destination =
        kind === 'service' ? { kind, endpoints: setOf([{ kind: 'unmeshed', address }]) } : { kind, address };
      const then: Destination = kind === 'service' ? { kind, endpoints: setOf([orders]) } : orders;
      const answers = [first];
      const web = await mesh.start('web', { calls: { orders: () => answers.shift() ?? then } });
      expect(await call(web)).toBe('orders');
      expect(web.connections()[0]).toMatchObject({ mode: 'mtls', tries: 2 });
      expect(heard).toBe('');
    },
  );

  test.each([
    ['self', 'unmeshed'],
    ['unmeshed', 'self'],
  ] as const)('nor does an address that was %s and is %s', async (kind, then) => {
    let heard = '';
    const address = await server((socket) => {
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    });
    const answers: Destination[] = [
      { kind, address },
      { kind: then, address },
    ];
    const web = await mesh.start('web', { calls: { orders: () => answers.shift() ?? { kind: 'unknown' } } });
    expect(await call(web)).toBe('reset');
    expect(heard).toBe('');
  });

  test('where the second answer is that nobody is known, nothing is sent', async () => {
    let heard = '';
    const plain = await server((socket) => {
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    });
    const answers: Destination[] = [{ kind: 'unmeshed', address: plain }];
    const web = await mesh.start('web', { calls: { orders: () => answers.shift() ?? { kind: 'unknown' } } });
    expect(await call(web)).toBe('reset');
    expect(heard).toBe('');
    expect(web.connections()[0]).toMatchObject({ reason: 'destination-unknown' });
  });

  test('but not in plaintext: the application’s bytes never reach an endpoint without a sidecar', async () => {
    let heard = '';
    const plain = await server((socket) => {
      socket
        .on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
        .on('end', () => socket.end('plain'));
    });
    const bad: ServiceEndpoint = { kind: 'meshed', address: await refusing(), port: 80, identities: ORDERS };
    const set = setOf([bad, { kind: 'unmeshed', address: plain }]);
    const web = await mesh.start('web', {
      calls: { orders: () => ({ kind: 'service', endpoints: set }) },
      override: { random: () => 0 },
    });
    expect(await call(web)).toBe('reset');
    expect(heard).toBe('');
    expect(web.connections()[0]).toMatchObject({ reason: 'connect-refused' });
  });

  test('nor does a second look turn a broken handshake into plaintext', async () => {
    let heard = '';
    const plain = await server((socket) => {
      socket
        .on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
        .on('end', () => socket.end('plain'));
    });
    const answers: Destination[] = [
      { kind: 'meshed', address: await refusing(), port: 80, identities: ORDERS },
    ];
    const web = await mesh.start('web', {
      calls: { orders: () => answers.shift() ?? { kind: 'unmeshed', address: plain } },
    });
    expect(await call(web)).toBe('reset');
    expect(heard).toBe('');
  });
});

describe('a Service that nobody answers for', () => {
  test('has its own reason', async () => {
    const web = await mesh.start('web', {
      calls: { orders: () => ({ kind: 'service', endpoints: setOf([]) }) },
    });
    expect(await call(web)).toBe('reset');
    expect(web.connections()[0]).toMatchObject({
      reason: 'no-endpoint',
      detail: 'orders.shop:80 has 0 endpoints; its internalTrafficPolicy is Cluster',
    });
  });

  test('because all refuse is told by the last, with what was tried before', async () => {
    const gone = await Promise.all([refusing(), refusing(), refusing(), refusing()]);
    const set = setOf(gone.map((address) => ({ kind: 'meshed', address, port: 80, identities: ORDERS })));
    const web = await mesh.start('web', { calls: { orders: () => ({ kind: 'service', endpoints: set }) } });
    expect(await call(web)).toBe('reset');
    expect(web.connections()[0]).toMatchObject({
      reason: 'connect-refused',
      tries: 3,
      detail: expect.stringMatching(
        /^127\.0\.0\.1:\d+; before that (127\.0\.0\.1:\d+ connect-refused(, )?){2}$/,
      ),
    });
    expect(web.lines.filter(({ message }) => message === 'endpoint ejected')).toHaveLength(3);
  });
});

test('attack: who takes what was sent and breaks off gets it once, no call is repeated for it, and the next goes elsewhere', async () => {
  const orders = await named('orders');
  let heard = '';
  const application = await server((socket) => {
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      socket.resetAndDestroy();
    });
  });
  const thief = endpointOf(await mesh.start('billing', { application }));
  const set = setOf([thief, endpointOf(orders)]);
  const web = await mesh.start('web', {
    calls: { orders: () => ({ kind: 'service', endpoints: set }) },
    override: { random: firstKey(set, thief) },
  });
  expect(await call(web)).toBe('reset');
  expect(web.connections()[0]).toMatchObject({ tries: 1, reason: expect.stringMatching(BROKEN) });
  await expect
    .poll(() => web.lines.filter(({ message }) => message === 'endpoint ejected'), { timeout: 20_000 })
    .toMatchObject([
      {
        endpoint: `${thief.address.host}:${thief.address.port}`,
        reason: expect.stringMatching(BROKEN),
      },
    ]);
  expect(await call(web)).toBe('orders');
  expect(heard).toBe('request');
  const page = await mesh.telemetry.metricsText('web');
  expect(page).not.toMatch(/sallyport_connections_retries_total\{service="web"/);
});

test('a server that speaks first is heard once, whatever was tried before', async () => {
  const application = await server((socket) => socket.end('220 hello'));
  const orders = await mesh.start('orders', { application });
  const bad: ServiceEndpoint = { kind: 'meshed', address: await refusing(), port: 80, identities: ORDERS };
  const set = setOf([bad, endpointOf(orders)]);
  const web = await mesh.start('web', {
    calls: { orders: () => ({ kind: 'service', endpoints: set }) },
    override: { random: firstKey(set, bad) },
  });
  const client = await tcpClient(web.calls('orders'));
  client.end();
  expect((await readAll(client)).bytes.toString()).toBe('220 hello');
});

/** Whether a reset reaches the engine first or the socket is for the kernel to say. */
const BROKEN = /^(peer-reset|transport-failed)$/;

/** Draws that choose `endpoint` of two that cost the same: the set is taken in the order of its keys. */
function firstKey({ endpoints }: EndpointSet, endpoint: ServiceEndpoint): () => number {
  const ports = endpoints.map(({ address }) => `${address.port}`).toSorted();
  const first = ports[0] === `${endpoint.address.port}`;
  return () => (first ? 0 : 0.5);
}
