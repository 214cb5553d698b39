import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Destination } from '#sidecar';
import { Application, connectTo } from '../../support/application.ts';
import { readLine } from '../../support/bytes.ts';
import { sumOf } from '../../support/metrics.ts';
import { Mesh, type MeshService } from '../../support/mesh.ts';
import { Relay, type RelayOptions, recordwise } from '../../support/relay.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

/** How each connection of the application ended, and what came before. */
const endings: { how: string; received: string }[] = [];
let mesh: Mesh;
let wire: Relay;
const application = await Application.tcp((socket) => {
  let received = '';
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1');
    socket.write(data);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => endings.push({ how: error.code ?? '', received }));
  socket.on('end', () => {
    endings.push({ how: 'end', received });
    socket.end();
  });
});

beforeAll(async () => {
  const toOrders = (): Destination => ({
    kind: 'meshed',
    address: wire,
    port: 8080,
    identities: [mesh.service('orders').identity],
  });
  mesh = await Mesh.start({ services: { orders: { application }, web: { calls: { orders: toOrders } } } });
});

afterAll(async () => {
  await mesh.close();
  await application.close();
});

beforeEach(() => {
  endings.length = 0;
  mesh.service('orders').forgetLines();
  mesh.service('web').forgetLines();
});

/** The two sidecars are honest; what is between them does as `options` say. */
async function callThrough(options: RelayOptions): Promise<Socket> {
  wire = await Relay.start(mesh.service('orders').inbound, options);
  const { close } = wire;
  onTestFinished(() => close.call(wire));
  return connectTo(mesh.service('web').calls('orders'));
}

function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.resume();
  });
}

/** The one line that a side has of the connection; the handshake's own record has the same trace. */
async function lineOf(service: MeshService): Promise<Record<string, unknown>> {
  await eventually(() => service.lines('connection')).toHaveLength(1);
  const [line] = service.lines('connection');
  expect(mesh.handshakes(service.name).at(-1)?.traceId).toBe(line?.traceId);
  return line ?? {};
}

async function closedFor(service: MeshService, reason: string): Promise<number> {
  return sumOf(await service.metrics(), 'sallyport_connections_closed_total', {
    service: service.name,
    reason,
  });
}

const isData = (record: Buffer): boolean => record[0] === 0x17;

/** A connection over which one line went there and back; `meddle` starts what the wire does from now on. */
async function live(options: (meddling: () => boolean) => RelayOptions) {
  let meddling = false;
  const socket = await callThrough(options(() => meddling));
  socket.write('first\n');
  expect(await readLine(socket)).toBe('first');
  const meddle = (): void => {
    meddling = true;
  };
  return { socket, meddle };
}

describe('a live connection that is meddled with', () => {
  test.for([
    { how: 'a bit is flipped', change: (record: Buffer) => [flipped(record)] },
    { how: 'a record comes twice', change: (record: Buffer) => [record, record] },
    { how: 'a record is shortened', change: (record: Buffer) => [shortened(record)] },
  ])('from the caller, $how: the callee says bad-record-mac', async ({ change }) => {
    const orders = mesh.service('orders');
    const before = await closedFor(orders, 'bad-record-mac');
    const { socket, meddle } = await live((meddling) => ({
      forth: recordwise((record) => (meddling() && isData(record) ? change(record) : [record])),
    }));
    meddle();
    const ended = ending(socket);
    socket.write('second\n');
    expect(await ended).toBe('ECONNRESET');
    expect(await lineOf(orders)).toMatchObject({ level: 'warn', reason: 'bad-record-mac' });
    expect(await lineOf(mesh.service('web'))).toMatchObject({
      reason: 'alert-received',
      detail: 'bad_record_mac',
    });
    expect(await closedFor(orders, 'bad-record-mac')).toBe(before + 1);
    expect(mesh.spans.failures('orders').at(-1)?.attributes['error.type']).toBe('bad-record-mac');
    // Nothing of the changed record came through, and the application takes it for no ordinary end.
    await eventually(() => endings).toHaveLength(1);
    expect(endings[0]?.how).toBe('ECONNRESET');
    expect(endings[0]?.received).toMatch(/^first\n(second\n)?$/);
  });

  test('from the callee: the caller says bad-record-mac', async () => {
    const web = mesh.service('web');
    const before = await closedFor(web, 'bad-record-mac');
    const { socket, meddle } = await live((meddling) => ({
      back: recordwise((record) => [meddling() && isData(record) ? flipped(record) : record]),
    }));
    meddle();
    const ended = ending(socket);
    socket.write('second\n');
    expect(await ended).toBe('ECONNRESET');
    expect(await lineOf(web)).toMatchObject({ level: 'warn', reason: 'bad-record-mac' });
    expect(await lineOf(mesh.service('orders'))).toMatchObject({
      reason: 'alert-received',
      detail: 'bad_record_mac',
    });
    expect(await closedFor(web, 'bad-record-mac')).toBe(before + 1);
    await eventually(() => endings).toEqual([{ how: 'ECONNRESET', received: 'first\nsecond\n' }]);
  });

  test('FIN without close_notify: both sides say truncated, neither application sees an ordinary end', async () => {
    const { socket } = await live(() => ({}));
    const ended = ending(socket);
    wire.cut();
    expect(await ended).toBe('ECONNRESET');
    for (const service of [mesh.service('orders'), mesh.service('web')]) {
      expect(await lineOf(service)).toMatchObject({ level: 'warn', reason: 'truncated' });
      expect(await closedFor(service, 'truncated')).toBe(1);
      expect(mesh.spans.failures(service.name).at(-1)?.attributes['error.type']).toBe('truncated');
    }
    await eventually(() => endings).toEqual([{ how: 'ECONNRESET', received: 'first\n' }]);
  });
});

describe('a handshake that is meddled with', () => {
  test.for([
    {
      what: 'a bit of the ClientHello: both derive other keys',
      options: { forth: recordwise((record, index) => [index === 0 ? flipped(record, RANDOM) : record]) },
      sees: 'web',
      reason: 'bad-record-mac',
    },
    {
      what: "a bit of the server's sealed flight",
      options: { back: recordwise((record) => [isData(record) ? flipped(record) : record]) },
      sees: 'web',
      reason: 'bad-record-mac',
    },
    {
      what: "a bit of the client's sealed flight",
      options: { forth: recordwise((record) => [isData(record) ? flipped(record) : record]) },
      sees: 'orders',
      reason: 'bad-record-mac',
    },
    {
      what: "the client's sealed flight is withheld, then FIN",
      options: { forth: recordwise((record) => (isData(record) ? [] : [record])) },
      cut: true,
      sees: 'orders',
      reason: 'closed-in-handshake',
    },
  ])('$what: $sees says $reason', async ({ options, sees, reason, cut = false }) => {
    const service = mesh.service(sees);
    const socket = await callThrough(options);
    const ended = ending(socket);
    socket.write('never\n');
    if (cut) {
      await eventually(() => wire.newest.forth.indexOf(0x17)).toBeGreaterThan(0);
      wire.cut();
    }
    expect(await ended).toBe('ECONNRESET');
    expect(await lineOf(service)).toMatchObject({ level: 'warn', reason });
    expect(await lineOf(mesh.service(sees === 'web' ? 'orders' : 'web'))).toMatchObject({ level: 'warn' });
    expect(mesh.handshakes(sees).at(-1)).toMatchObject({ result: 'failed', reason });
    expect(mesh.spans.handshakes(sees).at(-1)?.attributes['error.type']).toBe(reason);
    expect(endings).toEqual([]);
  });

  test('a recorded connection played again: the callee says bad-record-mac', async () => {
    const { socket } = await live(() => ({}));
    const recorded = wire.newest.forth;
    socket.end();
    await eventually(() => endings).toEqual([{ how: 'end', received: 'first\n' }]);
    await lineOf(mesh.service('web'));
    await lineOf(mesh.service('orders'));
    endings.length = 0;

    const again = await connectTo(mesh.service('orders').inbound);
    const closed = once(again, 'close');
    again.resume().end(recorded);
    await closed;
    await eventually(() => mesh.service('orders').lines('connection')).toHaveLength(2);
    expect(mesh.service('orders').lines('connection')[1]).toMatchObject({ reason: 'bad-record-mac' });
    expect(endings).toEqual([]);
  });
});

describe('what is odd but legal passes', () => {
  test.for([
    {
      what: 'both Hellos in records of one byte',
      forth: recordwise((record, index) => (index === 0 ? shattered(record) : [record])),
      back: recordwise((record, index) => (index === 0 ? shattered(record) : [record])),
    },
    {
      what: 'every byte by itself',
      forth: () => (chunk: Buffer) => [...chunk].map((byte) => Buffer.of(byte)),
      back: () => (chunk: Buffer) => [...chunk].map((byte) => Buffer.of(byte)),
    },
  ])('$what', async ({ forth, back }) => {
    const socket = await callThrough({ forth, back });
    socket.write('first\n');
    expect(await readLine(socket)).toBe('first');
    const ended = ending(socket);
    socket.end();
    expect(await ended).toBe('end');
    for (const name of ['orders', 'web']) {
      expect(await lineOf(mesh.service(name))).toMatchObject({ level: 'info' });
    }
  });
});

/** Where the random stands in a record with a whole ClientHello (RFC 8446 5.1, 4, 4.1.2). */
const RANDOM = 5 + 4 + 2;

function flipped(record: Buffer, at = record.length - 1): Buffer {
  return record.map((byte, index) => (index === at ? byte ^ 1 : byte)) as Buffer;
}

/** A byte less, and a header that agrees. */
function shortened(record: Buffer): Buffer {
  const copy = Buffer.from(record.subarray(0, -1));
  copy.writeUInt16BE(record.readUInt16BE(3) - 1, 3);
  return copy;
}

/** RFC 8446 5.1: what stands in the clear may be cut into other records on its way: nothing authenticates their bounds. */
function shattered(record: Buffer): Buffer[] {
  return [...record.subarray(5)].map((byte) => Buffer.from([...record.subarray(0, 3), 0, 1, byte]));
}
