import { once } from 'node:events';
import { Scope } from '#runtime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAll, tcpClient, tcpServer } from '../testing/sockets.ts';
import { everyBound } from './bind.ts';
import type { Endpoint } from './endpoint.ts';
import { Listener } from './listener.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope('test', (error) => {
    throw error;
  });
});
afterEach(() => scope.close());

const ANY: Endpoint = { host: '127.0.0.1', port: 0 };

function open(
  endpoint: Endpoint,
  onSocket: Parameters<typeof Listener.open>[1]['onSocket'],
): Promise<Listener> {
  const name = 'inbound of orders';
  return Listener.open(scope, {
    name,
    endpoint,
    keepAliveMilliseconds: 60_000,
    onSocket,
    onAcceptError: () => {},
  });
}

test('hands over sockets that are paused, so that nothing is read before somebody wants it', async () => {
  const accepted = Promise.withResolvers<string>();
  const listener = await open(ANY, (socket) => {
    expect(socket.isPaused()).toBe(true);
    expect(socket.allowHalfOpen).toBe(true);
    setTimeout(
      () => void readAll(socket.resume()).then(({ bytes }) => accepted.resolve(bytes.toString())),
      50,
    );
  });
  const client = await tcpClient(listener.bound);
  client.end('early');
  expect(await accepted.promise).toBe('early');
  client.destroy();
});

test('a port that is taken is named with who holds it', async () => {
  const holder = await tcpServer(() => undefined);
  const opening = open({ host: holder.host, port: holder.port }, () => undefined);
  const who = process.platform === 'linux' ? `\\(process ${process.pid}\\)` : 'another process';
  const text = `inbound of orders cannot listen on 127.0.0.1:${holder.port}: .*${who}`;
  await expect(opening).rejects.toThrow(new RegExp(text));
  await holder.close();
});

test('every port that cannot be had is in one error', async () => {
  const holder = await tcpServer(() => undefined);
  const taken = { host: holder.host, port: holder.port };
  const far = { host: '192.0.2.1', port: 0 };
  const binding = everyBound([
    open(taken, () => undefined),
    open(ANY, () => undefined),
    open(far, () => undefined),
  ]);
  await expect(binding).rejects.toMatchObject({ name: 'BindError', endpoints: [taken, far] });
  await expect(binding).rejects.toThrow(/192\.0\.2\.1 is no address of this machine/);
  await expect(binding).rejects.toThrow(new RegExp(`127.0.0.1:${holder.port}`));
  await holder.close();
});

test('after stop new connections are refused and live ones go on', async () => {
  const accepted = Promise.withResolvers<import('node:net').Socket>();
  const listener = await open(ANY, (socket) => accepted.resolve(socket));
  const client = await tcpClient(listener.bound);
  const socket = await accepted.promise;
  listener.stop();
  expect(listener.accepting).toBe(false);
  await expect(tcpClient(listener.bound)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  socket.end('still here');
  expect((await readAll(client)).bytes.toString()).toBe('still here');
  client.destroy();
  socket.destroy();
  await once(socket, 'close');
});
