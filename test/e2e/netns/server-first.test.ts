import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { caller, speak } from './inside.ts';
import { type MeshedPod, NamespaceMesh, openTo } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const DECLARED = 3_306;
const OTHER = 3_307;
/** What a plaintext caller is waited for where nothing is declared: DEFAULT_LIMITS.detectTimeoutMilliseconds. */
const DETECTION_MILLISECONDS = 100;

test('a caller without a sidecar is not waited for on declared ports, and elsewhere no longer than 100 ms', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const policy = openTo('Permissive');
  const settings = `serverFirstPorts: [${DECLARED}]`;
  const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders', { policy, settings })]);
  await Promise.all([DECLARED, OTHER].map((port) => greet(orders, port)));

  const call = await caller(mesh.outside);
  const declared = await shortest(() => call(orders.ipv4, DECLARED));
  const other = await shortest(() => call(orders.ipv6, OTHER));
  expect(declared).toBeLessThan(DETECTION_MILLISECONDS);
  expect(other).toBeGreaterThanOrEqual(DETECTION_MILLISECONDS - 1);
  // Half of it again is the machine's own slowness.
  expect(other).toBeLessThan(DETECTION_MILLISECONDS * 2);

  // One with a sidecar is known by its address, and still gets mutual TLS there.
  const fromMesh = await caller(web.machine);
  for (const port of [DECLARED, OTHER]) expect(await fromMesh(orders.ipv4, port)).toBe('220 ready');
  const lines = await orders.connections('inbound', 2 * ATTEMPTS + 2);
  expect(lines.map(({ mode }) => mode)).toEqual([
    ...new Array(2 * ATTEMPTS).fill('plaintext'),
    'mtls',
    'mtls',
  ]);
});

test("the application's own TLS passes where the mode allows it, and not where it is Strict", async (context) => {
  needs(context, 'openssl');
  const mesh = await NamespaceMesh.create(context, ['orders', 'strict']);
  const [orders, strict] = await Promise.all([
    mesh.start('orders', { policy: openTo('Permissive') }),
    mesh.start('strict', { policy: openTo('Strict') }),
  ]);
  const folder = temporaryFolder('tls');
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = orders.machine.run('openssl', [
    ...[
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=its-own',
    ],
    ...['-keyout', key, '-out', certificate],
  ]);
  expect(made.code, made.stderr).toBe(0);
  for (const { machine } of [orders, strict]) {
    const server = machine.start('openssl', [
      's_server',
      '-accept',
      '8443',
      '-key',
      key,
      '-cert',
      certificate,
      '-www',
    ]);
    await server.says(/ACCEPT/);
  }
  const ask = (host: string): string =>
    mesh.outside.run('curl', ['-s', '-S', '-k', '-m', '10', '-v', `https://${host}:8443/`]).stderr;
  expect(ask(orders.ipv4)).toContain('CN=its-own');
  expect(ask(strict.ipv4)).not.toContain('CN=its-own');
  expect(await orders.connections('inbound', 1)).toMatchObject([{ mode: 'plaintext', level: 'info' }]);
  expect(await speak(mesh.outside, strict.ipv4, 8_443)).toBe('ECONNRESET');
});

const ATTEMPTS = 5;

/** Milliseconds of the quickest of a few: a busy machine adds to them, it never takes away. */
async function shortest(call: () => Promise<string>): Promise<number> {
  const times: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const start = performance.now();
    expect(await call()).toBe('220 ready');
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

/** Says its greeting to whoever comes, and ends. */
async function greet({ machine }: MeshedPod, port: number): Promise<void> {
  const script = `require('node:net').createServer((s) => s.on('error', () => 0).end('220 ready')).listen(${port}, '::', () => console.log('listening'))`;
  await machine.start(process.execPath, ['-e', script]).says(/listening/);
}
