import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type ReadableWatch, Scope, systemClock } from '#runtime';
import { freePort } from '#runtime/testing';
import { ServiceProcess, type ServiceProcessConfig, type ServiceState } from './service-process.ts';

/** Real processes, real ports: what is supervised here is the operating system's. */
const scopes: Scope[] = [];
afterEach(async () => {
  for (const scope of scopes.splice(0)) await scope.close();
});

const LISTEN = `require('net').createServer((s) => s.end()).listen(+process.env.PORT, '127.0.0.1');`;

test('is ready when its port answers, and gone after the scope closed', async () => {
  const { service, scope } = await start(`console.log('hello'); ${LISTEN}`);
  const { pid } = await phase(service.state, 'ready');
  expect(alive(pid)).toBe(true);
  await scope.close();
  expect(alive(pid)).toBe(false);
  expect(service.state.value.phase).toBe('stopped');
  expect(service.lastLines).toEqual(['hello']);
});

test('who ends by himself is started again, and the state says how he ended', async () => {
  const { service } = await start(`console.error('no luck'); process.exit(3)`);
  const state = await phase(service.state, 'restarting');
  expect(state.detail).toMatch(/^shop ended with exit code 3; restart 1 after 0\.0 s$/);
  await until(service.state, (value) => value.restarts >= 2);
  expect(service.lastLines).toContain('no luck');
});

test('a program that does not exist is named', async () => {
  const { service } = await start('', { command: ['no-such-program'] });
  const state = await phase(service.state, 'restarting');
  expect(state.detail).toContain('shop could not be started: no program no-such-program was found');
});

test('who ignores SIGTERM is ended by SIGKILL after the grace', async () => {
  const { service, scope } = await start(`process.on('SIGTERM', () => {}); ${LISTEN}`, {
    graceMilliseconds: 300,
  });
  const { pid } = await phase(service.state, 'ready');
  const before = performance.now();
  await scope.close();
  expect(performance.now() - before).toBeGreaterThan(250);
  expect(alive(pid)).toBe(false);
});

test('what a service started itself ends with it', async () => {
  const child = `require('child_process').spawn(process.execPath, ['-e', \`console.log(process.pid); ${LISTEN}\`], { stdio: 'inherit' });`;
  const { service, scope } = await start(
    `${child} process.on('SIGTERM', () => process.exit(0)); setInterval(() => 0, 1e6)`,
  );
  await phase(service.state, 'ready');
  const grandchild = Number(service.lastLines[0]);
  expect(alive(grandchild)).toBe(true);
  await scope.close();
  expect(alive(grandchild)).toBe(false);
});

test('a port that another program holds is not taken for ready', async () => {
  const other = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { service } = await start(LISTEN, { port });
  const state = await until(service.state, (value) => value.detail !== undefined);
  expect(state.detail).toContain(`port ${port} is in use by another program`);
  expect(state.phase).not.toBe('ready');
  other.close();
  await phase(service.state, 'ready');
});

test('a service that runs elsewhere is ready when its port answers', async () => {
  const port = await freePort();
  const { service } = await start('', { command: undefined, port });
  const state = await until(service.state, (value) => value.detail !== undefined);
  expect(state).toMatchObject({ phase: 'starting', detail: `nothing answers on 127.0.0.1:${port} yet` });
  const other = createServer((socket) => socket.end()).listen(port, '127.0.0.1');
  await phase(service.state, 'ready');
  other.close();
});

test('says so when a service runs but does not listen', async () => {
  const { service } = await start('setInterval(() => 0, 1e6)', { slowStartMilliseconds: 100 });
  const state = await until(service.state, (value) => value.detail !== undefined);
  expect(state.detail).toMatch(/^shop has not answered on 127\.0\.0\.1:\d+ for 0 s: does it listen there\?$/);
});

async function start(
  script: string,
  change: Partial<ServiceProcessConfig> = {},
): Promise<{ service: ServiceProcess; scope: Scope }> {
  const port = change.port ?? (await freePort());
  const service = new ServiceProcess({
    name: 'shop',
    command: ['node', '-e', script],
    directory: process.cwd(),
    env: { PATH: process.env.PATH, PORT: String(port) },
    port,
    clock: systemClock,
    random: () => 0,
    output: () => undefined,
    graceMilliseconds: 5_000,
    slowStartMilliseconds: 10_000,
    restart: { firstMilliseconds: 10, longestMilliseconds: 20, jitter: 0 },
    ...change,
  });
  const scope = new Scope('test', (error) => {
    throw error;
  });
  scopes.push(scope);
  service.run(scope);
  return { service, scope };
}

const phase = (state: ReadableWatch<ServiceState>, wanted: ServiceState['phase']): Promise<ServiceState> =>
  until(state, (value) => value.phase === wanted);

function until(
  state: ReadableWatch<ServiceState>,
  holds: (value: ServiceState) => boolean,
): Promise<ServiceState> {
  if (holds(state.value)) return Promise.resolve(state.value);
  return new Promise((resolve) => {
    const end = state.subscribe((value) => {
      if (!holds(value)) return;
      end();
      resolve(value);
    });
  });
}

function alive(pid: number | undefined): boolean {
  try {
    return process.kill(pid ?? Number.NaN, 0);
  } catch {
    return false;
  }
}
