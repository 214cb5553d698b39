import net from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '#runtime/testing';
import { readListening } from './listening.ts';
import { openSocketCalls } from './socket-calls.ts';

const opened = await openSocketCalls();
if (!opened.ok) throw new Error(opened.error.detail);
const { listensAt } = opened.value;

async function listening(host: string, options: net.ListenOptions = {}): Promise<net.Server> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen({ host, port: 0, ...options }, resolve));
  return server;
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

test('tells a port that is listened on from one that is not any more, in the turn in which it is closed', async (context) => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    const server = await listening(host);
    const port = portOf(server);
    const asked = host.includes(':') ? '::1' : '127.0.0.1';
    const found = listensAt({ host: asked, port });
    if (found === undefined) return context.skip('this kernel does not answer sock_diag for TCP');
    expect(found).toBe(true);
    server.close();
    expect(listensAt({ host: asked, port })).toBe(false);
  }
});

test('tells addresses apart, and takes a listener of both families for either', async (context) => {
  const own = await listening('127.0.0.1');
  if (listensAt({ host: '127.0.0.1', port: portOf(own) }) === undefined) {
    return context.skip('this kernel does not answer sock_diag for TCP');
  }
  expect(listensAt({ host: '127.0.0.2', port: portOf(own) })).toBe(false);
  expect(listensAt({ host: '::1', port: portOf(own) })).toBe(false);
  own.close();
  const both = await listening('::');
  expect(listensAt({ host: '127.0.0.1', port: portOf(both) })).toBe(true);
  both.close();
  const six = await listening('::', { ipv6Only: true });
  expect(listensAt({ host: '127.0.0.1', port: portOf(six) })).toBe(false);
  six.close();
  expect(listensAt({ host: '127.0.0.1', port: await freePort() })).toBe(false);
});

test('a connection of somebody else from that port is not a listener', async (context) => {
  const server = await listening('127.0.0.1');
  const client = net.connect(portOf(server), '127.0.0.1');
  await new Promise((resolve) => client.once('connect', resolve));
  const found = listensAt({ host: '127.0.0.1', port: client.localPort ?? 0 });
  if (found === undefined) context.skip('this kernel does not answer sock_diag for TCP');
  expect(found).toBe(false);
  client.destroy();
  server.close();
});

test('where the kernel does not answer as expected it is not known', () => {
  const endpoint = { host: '127.0.0.1', port: 80 };
  const answering = (bytes: Buffer) => ({
    socket: () => 7,
    send: (_: number, __: Buffer, length: number) => length,
    receive: (_: number, into: Buffer) => bytes.copy(into),
    close: () => 0,
  });
  const error = (number: number): Buffer => {
    const bytes = Buffer.alloc(36);
    bytes.writeUInt16LE(2, 4);
    bytes.writeInt32LE(-number, 16);
    return bytes;
  };
  expect(readListening(endpoint, answering(error(2)))).toBe(false);
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), error(1), error(22)]) {
    expect(readListening(endpoint, answering(bytes))).toBeUndefined();
  }
  expect(readListening(endpoint, { ...answering(error(2)), socket: () => -1 })).toBeUndefined();
  expect(readListening(endpoint, { ...answering(error(2)), send: () => -1 })).toBeUndefined();
  expect(readListening({ host: 'web', port: 80 }, answering(error(2)))).toBeUndefined();
});
