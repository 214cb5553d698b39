import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Scope, systemClock } from '#runtime';
import type { TrafficEntry } from '../mesh-file/mesh-file.ts';
import type { Expectation } from './classify.ts';
import { runTraffic, type TrafficSample } from './traffic-driver.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const permitted: Expectation = { epoch: 1, forbidden: [] };
const entry: TrafficEntry = {
  service: 'web',
  path: '/checkout?x=1',
  as: undefined,
  through: [{ from: 'web', to: 'orders' }],
  everyMilliseconds: 10,
};

test('asks for the path at its pace, each time over a new connection, and judges the answers', async () => {
  const seen = new Set<number | undefined>();
  const { samples, stop } = await drive((request, response) => {
    expect(request.url).toBe('/checkout?x=1');
    seen.add(request.socket.remotePort);
    response.end('ok');
  });
  await until(() => samples.length >= 5);
  await stop();
  expect(samples.every(({ outcome }) => outcome === 'ok')).toBe(true);
  expect(seen.size).toBe(samples.length);
});

test('a connection that is reset is no answer', async () => {
  const { samples, stop } = await drive((request) => request.socket.resetAndDestroy());
  await until(() => samples.length >= 1);
  await stop();
  expect(samples[0]).toMatchObject({ outcome: 'failed', answer: { kind: 'none', error: 'ECONNRESET' } });
});

test('stopping waits for what is under way and sends nothing new', async () => {
  let asked = 0;
  const { samples, stop } = await drive((_, response) => {
    asked += 1;
    setTimeout(() => response.end(), 100);
  });
  await until(() => asked >= 2);
  await stop();
  const before = asked;
  expect(samples).toHaveLength(before);
  expect(samples.every(({ outcome }) => outcome === 'ok')).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked).toBe(before);
});

test('a service that never answers does not pile up requests', async () => {
  let asked = 0;
  const { stop } = await drive(() => {
    asked += 1;
    if (asked >= 32) for (const server of servers) setTimeout(() => server.closeAllConnections(), 100);
  });
  await until(() => asked >= 32);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(asked).toBe(32);
  await stop();
});

async function drive(
  listener: RequestListener,
): Promise<{ samples: TrafficSample[]; stop: () => Promise<void> }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const samples: TrafficSample[] = [];
  const scope = new Scope('test', (error) => {
    throw error;
  });
  runTraffic(scope, {
    target: { entry, port },
    expect: () => permitted,
    record: (sample) => samples.push(sample),
    clock: systemClock,
  });
  return { samples, stop: () => scope.close() };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
