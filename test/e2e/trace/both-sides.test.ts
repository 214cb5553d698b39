import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HandshakeRecord } from '#telemetry';
import { Application, connectTo } from '../../support/application.ts';
import { readAll, readLine } from '../../support/bytes.ts';
import { needs, startChild } from '../../support/child.ts';
import { allow, Mesh } from '../../support/mesh.ts';
import { Relay } from '../../support/relay.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

let mesh: Mesh;
/** Another authority's mesh, which believes ours; ours doesn't believe it. */
let foreign: Mesh;
let wire: Relay;
const echo = await Application.tcp((socket) => socket.pipe(socket));

beforeAll(async () => {
  mesh = await Mesh.start({
    services: {
      orders: { application: echo },
      web: {
        calls: {
          orders: () => ordersAt(wire, 8080),
          'another port of orders': () => ordersAt(wire, 9_999),
        },
      },
      intruder: { calls: { orders: () => ordersAt(wire, 8080) } },
    },
    policies: { 'orders.yaml': allow('orders', ['web']) },
  });
  wire = await Relay.start(mesh.service('orders').inbound);
  foreign = await Mesh.start({
    services: { web: { calls: { orders: () => ordersAt(wire, 8080) } } },
    alsoTrust: mesh.authority.bundle.value.roots.map(({ der }) => der),
  });
});

afterAll(async () => {
  await Promise.all([mesh.close(), foreign.close(), echo.close(), wire.close()]);
});

function ordersAt(address: Relay, port: number) {
  return { kind: 'meshed', address, port, identities: [mesh.service('orders').identity] } as const;
}

/** The newest record of each side, once both are there. */
async function bothSides(
  caller: { mesh: Mesh; service: string },
  act: () => Promise<unknown>,
): Promise<{ client: HandshakeRecord; server: HandshakeRecord }> {
  const before = [caller.mesh.handshakes(caller.service).length, mesh.handshakes('orders').length];
  await act();
  const after = () => [caller.mesh.handshakes(caller.service).length, mesh.handshakes('orders').length];
  await eventually(after).toEqual(before.map((count) => count + 1));
  const client = caller.mesh.handshakes(caller.service).at(-1);
  const server = mesh.handshakes('orders').at(-1);
  if (client === undefined || server === undefined) throw new Error('a side has no record');
  return { client, server };
}

/** Calls, says something and waits for the end, whatever it is. */
async function callInVain(caller: Mesh, service: string, callee: string): Promise<void> {
  const socket = await connectTo(caller.service(service).calls(callee));
  socket.write('hello\n');
  await readAll(socket).catch(() => undefined);
  socket.destroy();
}

/** The design's rule, from what anybody on the wire can see. RFC 8446 4.1.2, 4.1.3: both randoms stand in the clear. */
function traceIdOnTheWire(label: 'sallyport trace' | 'sallyport early trace'): string {
  const { forth, back } = wire.newest;
  const RANDOM = 5 + 4 + 2;
  const hash = createHash('sha256')
    .update(label, 'latin1')
    .update(forth.subarray(RANDOM, RANDOM + 32));
  if (label === 'sallyport trace') hash.update(back.subarray(RANDOM, RANDOM + 32));
  return hash.digest('hex').slice(0, 32);
}

/** The spans that were exported, as the design has them: the client's above the server's. */
function expectOneTrace(
  caller: Mesh,
  service: string,
  records: { client: HandshakeRecord; server: HandshakeRecord },
) {
  const { client, server } = records;
  expect(server.traceId).toBe(client.traceId);
  expect(server.parentSpanId).toBe(client.spanId);
  expect(client.parentSpanId).toBeUndefined();
  const above = caller.spans.handshakes(service).at(-1);
  const below = mesh.spans.handshakes('orders').at(-1);
  expect(above?.spanContext()).toMatchObject({ traceId: client.traceId, spanId: client.spanId });
  expect(below?.spanContext()).toMatchObject({ traceId: client.traceId, spanId: server.spanId });
  expect(above?.parentSpanContext).toBeUndefined();
  expect(below?.parentSpanContext).toMatchObject({ traceId: client.traceId, spanId: client.spanId });
  expect(above?.attributes['error.type']).toBe(client.reason);
  expect(below?.attributes['error.type']).toBe(server.reason);
}

describe('one handshake, two sidecars, one trace', () => {
  test('when all is well; and its id can be computed on the wire', async () => {
    const sides = await bothSides({ mesh, service: 'web' }, async () => {
      const socket = await connectTo(mesh.service('web').calls('orders'));
      socket.write('hello\n');
      expect(await readLine(socket)).toBe('hello');
      socket.end();
    });
    expectOneTrace(mesh, 'web', sides);
    expect(sides.client).toMatchObject({ result: 'ok', untrusted: false });
    expect(sides.server).toMatchObject({ result: 'ok', untrusted: false, policy: 'shop/orders-callers' });
    expect(sides.client.traceId).toBe(traceIdOnTheWire('sallyport trace'));
    expect(sides.client.establishedMs).toBeLessThanOrEqual(sides.client.confirmedMs ?? 0);
    // Each message once, as its sender and as its receiver saw it.
    const seen = (record: HandshakeRecord, direction: string): string[] =>
      record.messages.filter((message) => message.direction === direction).map(({ message }) => message);
    expect(seen(sides.server, 'received')).toEqual(seen(sides.client, 'sent'));
    // The server's record ends with its decision; the ticket, which follows it, tells the client of that.
    expect(seen(sides.client, 'received')).toEqual([...seen(sides.server, 'sent'), 'new_session_ticket']);
    await eventually(() => mesh.service('orders').lines('connection')).toHaveLength(1);
    expect(mesh.service('orders').lines('connection')[0]?.traceId).toBe(sides.client.traceId);
  });

  test('when the server refuses the ClientHello: no ServerHello, so the early id', async () => {
    const sides = await bothSides({ mesh, service: 'web' }, () =>
      callInVain(mesh, 'web', 'another port of orders'),
    );
    expectOneTrace(mesh, 'web', sides);
    expect(sides.server).toMatchObject({
      result: 'failed',
      reason: 'server-name-mismatch',
      serverName: 'p9999.mesh.test',
      untrusted: true,
    });
    expect(sides.client).toMatchObject({
      result: 'failed',
      reason: 'alert-received',
      alert: { direction: 'received', name: 'unrecognized_name' },
      untrusted: true,
    });
    expect(sides.client.traceId).toBe(traceIdOnTheWire('sallyport early trace'));
  });

  test("when a foreign client's ClientHello has no suite of ours: the server's half is there to be joined", async (context) => {
    needs(context, 'openssl');
    const before = mesh.handshakes('orders').length;
    startChild('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${wire.port}`, '-servername', 'p8080.mesh.test'],
      ...['-alpn', 'sallyport/1', '-ciphersuites', 'TLS_AES_128_CCM_SHA256'],
    ]);
    await eventually(() => mesh.handshakes('orders').length).toBe(before + 1);
    expect(mesh.handshakes('orders').at(-1)).toMatchObject({
      reason: 'no-common-suite',
      untrusted: true,
      traceId: traceIdOnTheWire('sallyport early trace'),
    });
  });

  test("when the server refuses the client's certificate after the client's Finished", async () => {
    const sides = await bothSides({ mesh: foreign, service: 'web' }, () =>
      callInVain(foreign, 'web', 'orders'),
    );
    expectOneTrace(foreign, 'web', sides);
    expect(sides.server).toMatchObject({ result: 'failed', reason: 'unknown-authority', untrusted: false });
    expect(sides.client).toMatchObject({
      result: 'failed',
      reason: 'alert-received',
      alert: { direction: 'received', name: 'unknown_ca' },
      confirmedMs: undefined,
      untrusted: false,
    });
    expect(sides.client.establishedMs).toBeDefined();
    expect(sides.client.say).toContain('unknown_ca');
    expect(sides.client.traceId).toBe(traceIdOnTheWire('sallyport trace'));
  });

  test('when policy refuses the client', async () => {
    const sides = await bothSides({ mesh, service: 'intruder' }, () =>
      callInVain(mesh, 'intruder', 'orders'),
    );
    expectOneTrace(mesh, 'intruder', sides);
    expect(sides.server).toMatchObject({ result: 'refused', reason: 'no-policy-allows' });
    expect(sides.client).toMatchObject({
      result: 'failed',
      reason: 'alert-received',
      alert: { direction: 'received', name: 'access_denied' },
    });
  });
});
