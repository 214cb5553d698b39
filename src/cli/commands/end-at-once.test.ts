import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** The program as a user runs it, before a service that has sent half of an answer and does not end. */
const MAIN = resolve('src/cli/main.ts');
const HALF = 'half of the ans';

/** Loaded into the program beside it: what stands in for a mistake in it. */
const THROWS_ON_USR2 = `process.on('SIGUSR2', () => { throw new Error('out of the blue'); });`;
const REJECTS_ON_USR2 = `process.on('SIGUSR2', () => { Promise.reject(new Error('out of the blue')); });`;

let folder: string;
let service: Server;
const accepted: Promise<string>[] = [];
const running: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-end-'));
  accepted.length = 0;
  service = createServer({ allowHalfOpen: true }, (socket) => {
    // A look at the port is no request.
    socket.once('data', () => {
      accepted.push(endOf(socket));
      socket.write(HALF);
    });
    socket.on('error', () => undefined);
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  service.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the second Ctrl-C cuts an answer off so that nobody takes it for a whole one', {
  timeout: 60_000,
}, async () => {
  const { child, output } = up();
  const ending = endOf(await half(child, output));
  child.kill('SIGINT');
  await expect.poll(output, { timeout: 10_000 }).toContain('Ctrl-C again ends it at once');
  child.kill('SIGINT');
  expect(await ending).toBe('ECONNRESET');
  expect(await accepted[0]).toBe('ECONNRESET');
  expect(await exitOf(child)).toBe(130);
});

test.each([
  ['an error that nobody caught', THROWS_ON_USR2],
  ['a rejection that nobody awaited', REJECTS_ON_USR2],
])('%s resets every connection and is told', { timeout: 60_000 }, async (_, mistake) => {
  const { child, output } = up('--import', `data:text/javascript,${encodeURIComponent(mistake)}`);
  const ending = endOf(await half(child, output));
  child.kill('SIGUSR2');
  expect(await ending).toBe('ECONNRESET');
  expect(await accepted[0]).toBe('ECONNRESET');
  expect(await exitOf(child)).toBe(1);
  expect(output()).toMatch(/resets all connections and ends:\n *Error: out of the blue/);
});

test('a closed terminal is an orderly stop', { timeout: 60_000 }, async () => {
  const { child, output } = up();
  const client = await half(child, output);
  child.kill('SIGHUP');
  await expect.poll(output, { timeout: 10_000 }).toContain('Stopping');
  client.destroy();
  expect(await exitOf(child)).toBe(0);
});

function up(...options: readonly string[]): { child: ChildProcess; output: () => string } {
  const { port } = service.address() as AddressInfo;
  writeFileSync(
    join(folder, 'policy.yaml'),
    `apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: orders-callers, namespace: default }
spec:
  action: Allow
  rules:
    - from: [{ serviceAccounts: [{ name: web, namespace: default }] }]
`,
  );
  writeFileSync(
    join(folder, 'mesh.yaml'),
    `trustDomain: end.example
policies: [policy.yaml]
services:
  web: { port: 1, calls: [orders] }
  orders: { port: ${port} }
`,
  );
  const child = spawn(
    process.execPath,
    [...options, MAIN, 'up', '-f', join(folder, 'mesh.yaml'), '--plain'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      text += part.toString();
    });
  }
  return { child, output: () => text };
}

/** A client of web's sidecar that has half of the answer and waits for the rest. */
async function half(child: ChildProcess, output: () => string): Promise<Socket> {
  for (const name of ['web', 'orders']) {
    await expect.poll(output, { timeout: 30_000 }).toContain(`${name} has its first certificate`);
  }
  expect(child.exitCode).toBeNull();
  const record = JSON.parse(readFileSync(join(folder, '.sallyport', 'up.json'), 'utf8')) as {
    services: { name: string; calls: { listen: number }[] }[];
  };
  const [call] = record.services.find(({ name }) => name === 'web')?.calls ?? [];
  const socket = connect({ port: call?.listen ?? 0, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write('a request');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  expect(bytes.toString()).toBe(HALF);
  return socket;
}

/** How the other side ended the connection: `FIN`, or the error. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.resume();
    socket.once('end', () => resolve('FIN'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
}
