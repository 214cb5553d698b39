import { systemClock } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { expect, test } from 'vitest';
import { readAll, tcpServer } from '../testing/sockets.ts';
import { connect } from './connect.ts';

const OPTIONS = {
  clock: systemClock,
  timeoutMilliseconds: 1_000,
  keepAliveMilliseconds: 60_000,
  signal: new AbortController().signal,
};

test('connects, and loses nothing that the server said first', async () => {
  const server = await tcpServer((socket) => socket.end('220 ready'));
  const socket = await connect(server, OPTIONS);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await readAll(socket)).bytes.toString()).toBe('220 ready');
  socket.destroy();
  await server.close();
});

test('a refused connection names the address', async () => {
  const server = await tcpServer(() => undefined);
  await server.close();
  await expect(connect(server, OPTIONS)).rejects.toMatchObject({
    code: 'connect-refused',
    detail: `127.0.0.1:${server.port}`,
  });
});

test('a host that does not answer is a timeout', async () => {
  const clock = new FakeClock();
  // RFC 5737: TEST-NET-1, routed nowhere. Where a network answers for it at once, the error is another one.
  const connecting = connect({ host: '192.0.2.1', port: 9 }, { ...OPTIONS, clock });
  const settled = connecting.catch((error: { code: string }) => error.code);
  await clock.advance(1_000);
  expect(['connect-timeout', 'connect-failed', 'connect-refused']).toContain(await settled);
  expect(clock.pendingTimers).toBe(0);
});

test('an order to end leaves no socket', async () => {
  const server = await tcpServer(() => undefined);
  const order = new AbortController();
  const connecting = connect(server, { ...OPTIONS, signal: order.signal });
  order.abort(new Error('drained'));
  await expect(connecting).rejects.toThrow('drained');
  await expect(connect(server, { ...OPTIONS, signal: order.signal })).rejects.toThrow('drained');
  await server.close();
});
