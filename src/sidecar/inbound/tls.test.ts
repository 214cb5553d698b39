import { afterEach, expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { adminOf } from '../testing/admin-client.ts';
import { TestMesh } from '../testing/mesh.ts';
import { readAll, tcpClient, tcpServer } from '../testing/sockets.ts';

const LIMIT = 5_000;

let mesh: TestMesh;
afterEach(() => mesh.close());

test('one limit holds from the first moment to the end of the handshake, whenever the first byte comes', async () => {
  const clock = new FakeClock();
  mesh = new TestMesh({ clock });
  const application = await tcpServer(() => undefined);
  mesh.scope.defer(() => application.close());
  const limits = { handshakeTimeoutMilliseconds: LIMIT };
  const orders = await mesh.start('orders', { application, limits });
  const carriages = async (): Promise<unknown[]> => {
    const { connections } = await adminOf(orders).json<{
      connections: { newest: { carriage?: string }[] };
    }>('/dump');
    return connections.newest.map(({ carriage }) => carriage);
  };
  const client = await tcpClient(orders.sidecar.addresses.inbound ?? { host: '', port: 0 });
  await expect.poll(carriages).toEqual([undefined]);
  let over = false;
  const ending = readAll(client).then(() => {
    over = true;
  });
  await clock.advance(0.9 * LIMIT);
  client.write(Buffer.from('16', 'hex'));
  await expect.poll(carriages).toEqual(['mesh']);
  await clock.advance(0.1 * LIMIT - 1);
  expect(await carriages()).toEqual(['mesh']);
  expect(over).toBe(false);
  await clock.advance(1);
  await expect.poll(() => over).toBe(true);
  await ending;
  client.end();
  await expect.poll(() => orders.connections()).toMatchObject([{ reason: 'handshake-timeout' }]);
});
