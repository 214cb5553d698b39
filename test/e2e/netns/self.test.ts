import { expect, test, vi } from 'vitest';
import { caller, listen, speak } from './inside.ts';
import { identityOf, NamespaceMesh, SIDECAR } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const FAMILIES = ['ipv4', 'ipv6'] as const;
const ROUTED = 'sallyport_connections_routed_total';

test('a pod calls itself by its own address, its own Service and localhost, and no byte of it leaves', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const own = mesh.network.machine('web');
  const other = mesh.network.machine('orders');
  // Services that only this pod stands behind, both, and only the other.
  const service = (address: string, ...endpoints: string[]): string =>
    `  - { service: ${address.replaceAll('.', '-')}, networks: [${address}/32], ports: [{ port: 80, targetPort: 8080 }], ` +
    `identities: ["${identityOf('web')}", "${identityOf('orders')}"], endpoints: [${endpoints.join(', ')}] }`;
  const destinations = [
    service('10.78.0.1', own.ipv4),
    service('10.78.0.2', own.ipv4, other.ipv4),
    service('10.78.0.3', other.ipv4),
  ].join('\n');
  const [web] = await Promise.all([mesh.start('web', { destinations }), mesh.start('orders')]);
  await Promise.all([listen(own, 8_080), listen(other, 8_080)]);
  const call = await caller(own);

  for (const family of FAMILIES) expect(await call(own[family], 8_080)).toBe(`8080 was ${own[family]} 8080`);
  expect(await call('10.78.0.1', 80)).toBe(`8080 was ${own.ipv4} 8080`);
  expect(await call('10.78.0.3', 80)).toBe(`8080 was ${other.ipv4} 8080`);
  // Whichever of them is chosen.
  const chosen = await call('10.78.0.2', 80);
  expect([own.ipv4, other.ipv4].map((address) => `8080 was ${address} 8080`)).toContain(chosen);
  const self = chosen.includes(own.ipv4) ? 4 : 3;
  expect(web.metric(mesh.outside, ROUTED, { route: 'self' })).toBe(self);
  expect(web.metric(mesh.outside, ROUTED, { route: 'mesh' })).toBe(5 - self);

  expect(await call('127.0.0.1', 8_080)).toBe('8080 was 127.0.0.1 8080');
  expect(await call('::1', 8_080)).toBe('8080 was ::1 8080');
  expect(web.metric(mesh.outside, ROUTED, { route: 'self' })).toBe(self);
});

test('what listens on 127.0.0.1 only cannot be reached from outside', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
  const local = orders.machine.start(process.execPath, [
    'test/e2e/netns/programs/speak.ts',
    '127.0.0.1',
    '9000',
    'for this machine only',
  ]);
  await local.says(/listening/);
  const [inside, fromMesh] = await Promise.all([caller(orders.machine), caller(mesh.network.machine('web'))]);
  expect(await inside('127.0.0.1', 9_000)).toContain('for this machine only');
  for (const family of FAMILIES) {
    expect(await fromMesh(orders[family], 9_000)).toBe('ECONNRESET');
    expect(await speak(mesh.outside, orders[family], 9_000)).toBe('ECONNRESET');
  }
  // Nobody was asked who they are: as without a sidecar, the port is closed to all. A call may be tried twice.
  const refused = { direction: 'inbound', reason: 'application-not-listening' };
  const count = (): number => orders.metric(mesh.outside, 'sallyport_connections_refused_total', refused);
  expect(count()).toBeGreaterThanOrEqual(4);
});

test("the sidecar's own ports end at once for whoever dials them", async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
  await listen(orders.machine, 80);
  const [fromMesh, fromOutside, inside] = await Promise.all([
    caller(web.machine),
    caller(mesh.outside),
    caller(orders.machine),
  ]);
  for (const family of FAMILIES) {
    for (const port of [15_000, 15_001, 15_006]) {
      expect(await fromOutside(orders[family], port)).toBe('ECONNRESET');
      expect(await fromMesh(orders[family], port)).toBe('ECONNRESET');
      expect(await inside(orders[family], port)).toBe('ECONNRESET');
    }
  }
  for (const loopback of ['127.0.0.1', '::1']) {
    expect(await inside(loopback, 15_001)).toBe('ECONNRESET');
    expect(await inside(loopback, 15_006)).toBe('ECONNRESET');
  }
  const refused = { direction: 'inbound', reason: 'own-port' };
  expect(orders.metric(mesh.outside, 'sallyport_connections_refused_total', refused)).toBeGreaterThanOrEqual(
    8,
  );
  // It goes on serving.
  expect(await fromMesh(orders.ipv4, 80)).toBe(`80 was ${orders.ipv4} 80`);
});

test('a process that takes the user id of the sidecar leaves without the mesh, and reaches no Strict peer', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
  const server = orders.machine.start(process.execPath, [
    'test/e2e/netns/programs/speak.ts',
    '::',
    '80',
    'welcome',
  ]);
  await server.says(/listening/);
  for (const family of FAMILIES) {
    expect(await speak(web.machine, orders[family], 80, SIDECAR)).toBe('ECONNRESET');
  }
  const lines = await orders.connections('inbound', 2);
  expect(lines.map(({ reason, mode }) => [reason, mode])).toEqual([
    ['plaintext-refused', 'plaintext'],
    ['plaintext-refused', 'plaintext'],
  ]);
});
