import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestMesh } from './testing/mesh.ts';
import { readAll, readExactly, tcpClient, tcpServer } from './testing/sockets.ts';

let mesh: TestMesh;
beforeEach(() => {
  mesh = new TestMesh();
});
afterEach(() => mesh.close());

test('endAll resets every connection at once, on both sides', async () => {
  const application = await tcpServer((socket) => void socket.write('half of the ans'));
  const orders = await mesh.start('orders', { application });
  const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
  const client = await tcpClient(web.calls('orders'));
  await readExactly(client, 'half of the ans'.length);
  const ending = readAll(client);

  web.sidecar.endAll();
  orders.sidecar.endAll();
  await setImmediate();
  // What the program would leave to the kernel if it exited now: nothing.
  for (const { connections } of [web, orders]) {
    expect(connections()).toMatchObject([{ reason: 'shutdown' }]);
  }
  expect((await ending).ending).toBe('reset');
  await application.close();
});

test('endAll before the first connection does nothing', async () => {
  const application = await tcpServer((socket) => socket.pipe(socket));
  const orders = await mesh.start('orders', { application });
  orders.sidecar.endAll();
  expect(orders.connections()).toEqual([]);
  await application.close();
});
