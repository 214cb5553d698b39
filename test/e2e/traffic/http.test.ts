import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Application } from '../../support/application.ts';
import { sha256 } from '../../support/bytes.ts';
import { needs, startChild } from '../../support/child.ts';
import { Mesh } from '../../support/mesh.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

const MIB = 2 ** 20;
const LARGE = 100 * MIB;
const TOGETHER = 200;

let mesh: Mesh;
let orders: Application;
let url: string;
/** Answers requests for /together, once all of them are there. */
let together: (() => void)[] = [];

beforeAll(async () => {
  orders = await Application.http((request, response) => {
    if (request.method === 'PUT') {
      void pipeline(request, createHash('sha256'), async (hash) => {
        for await (const digest of hash) response.setHeader('x-sha256', (digest as Buffer).toString('hex'));
      })
        .then(() => pipeline(createReadStream(large), response))
        .catch(() => response.destroy());
    } else if (request.url?.startsWith('/together') === true) {
      together.push(() => response.end('all here\n'));
      if (together.length === TOGETHER) for (const answer of together.splice(0)) answer();
    } else response.end(`you asked for ${request.url}\n`);
  });
  new WebSocketServer({ server: orders.server as Server }).on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  mesh = await Mesh.start({
    services: { orders: { application: orders }, web: { calls: ['orders'] } },
  });
  const { host, port } = mesh.service('web').calls('orders');
  url = `http://${host}:${port}`;
});

afterAll(async () => {
  await mesh.close();
  await orders.close();
});

const folder = temporaryFolder('curl');
const large = join(folder, 'large');

test('curl: 100 MiB there and 100 MiB back, unchanged', async (context) => {
  needs(context, 'curl');
  const data = randomBytes(LARGE);
  writeFileSync(large, data);
  const returned = join(folder, 'returned');
  const curl = startChild('curl', ['-sS', '-D', '-', '-o', returned, '-T', large, `${url}/large`]);
  expect(await curl.ended(100_000)).toEqual({ code: 0, signal: null });
  const expected = sha256(data);
  expect(curl.output).toContain(`x-sha256: ${expected}\r\n`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(returned), hash);
  expect(hash.digest('hex')).toBe(expected);

  await eventually(() => mesh.service('orders').lines('connection')).toHaveLength(1);
  const [line] = mesh.service('orders').lines('connection');
  expect(line).toMatchObject({ mode: 'mtls', peer: mesh.service('web').identity.toString() });
  expect(line?.receivedBytes).toBeGreaterThan(LARGE);
  expect(line?.sentBytes).toBeGreaterThan(LARGE);
});

test('curl: 200 connections at once, none of which is answered before all are there', async (context) => {
  needs(context, 'curl');
  together = [];
  const before = mesh.handshakes('orders').length;
  const args = ['-sS', '-Z', '--parallel-immediate', '--parallel-max', `${TOGETHER}`];
  const curl = startChild('curl', [...args, `${url}/together/[1-${TOGETHER}]`]);
  expect(await curl.ended(100_000)).toEqual({ code: 0, signal: null });
  expect(curl.stdout.toString()).toBe('all here\n'.repeat(TOGETHER));
  const handshakes = mesh.handshakes('orders').slice(before);
  expect(handshakes).toHaveLength(TOGETHER);
  expect(new Set(handshakes.map(({ result, version }) => `${result} ${version}`))).toEqual(
    new Set(['ok 1.3']),
  );
});

test('curl: keep-alive, one connection and one handshake for 20 requests', async (context) => {
  needs(context, 'curl');
  const before = mesh.handshakes('orders').length;
  const curl = startChild('curl', ['-sS', '-w', '%{num_connects}\n', `${url}/again/[1-20]`]);
  expect(await curl.ended()).toEqual({ code: 0, signal: null });
  const lines = curl.output.trim().split('\n');
  const asked = lines.filter((line) => line.startsWith('you asked for /again/'));
  expect(asked).toHaveLength(20);
  expect(lines.filter((line) => line === '1')).toHaveLength(1);
  expect(lines.filter((line) => line === '0')).toHaveLength(19);
  expect(mesh.handshakes('orders').length - before).toBe(1);
});

test('WebSocket: text, a megabyte of binary, and the closing code', async () => {
  const socket = new WebSocket(url.replace('http:', 'ws:'));
  const next = (): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      socket.once('message', (data) => resolve(data as Buffer));
      socket.once('error', reject);
    });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send('over the wall');
  expect((await next()).toString()).toBe('over the wall');
  const data = randomBytes(MIB);
  socket.send(data);
  expect(sha256(await next())).toBe(sha256(data));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.close(4_321, 'done');
  expect(await closed).toBe(4_321);
});
