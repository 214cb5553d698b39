import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Application, connectTo } from '../../support/application.ts';
import { readAll, readLine } from '../../support/bytes.ts';
import { Mesh } from '../../support/mesh.ts';
import { usage } from '../../support/usage.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

const MIB = 2 ** 20;

let mesh: Mesh;
const applications: Application[] = [];

async function application(serve: (socket: Socket) => void): Promise<Application> {
  const started = await Application.tcp(serve);
  applications.push(started);
  return started;
}

/** What the endless application could get rid of so far. */
let written = 0;

beforeAll(async () => {
  const mail = await application((socket) => {
    socket.write('220 mail.mesh.test ready\r\n');
    socket.on('data', (command) => socket.end(`250 ${command.toString().trim()}\r\n`));
  });
  const late = await application((socket) => {
    void readAll(socket).then(async (question) => {
      await delay(300);
      socket.end(`you asked: ${question.toString()}`);
    });
  });
  const brief = await application((socket) => {
    // Says all it has to say at once; what it hears afterwards still counts.
    socket.end('I have spoken\n');
    void readAll(socket).then((all) => heard.resolve(all.toString()));
  });
  const endless = await application((socket) => {
    const chunk = Buffer.alloc(64 * 1024, 0x2e);
    const pour = (): void => {
      while (written < ENDLESS) {
        written += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', pour);
          return;
        }
      }
      socket.end();
    };
    pour();
  });
  mesh = await Mesh.start({
    services: {
      mail: { application: mail },
      late: { application: late },
      brief: { application: brief },
      endless: { application: endless },
      web: { calls: ['mail', 'late', 'brief', 'endless'] },
    },
  });
});

afterAll(async () => {
  await mesh.close();
  await Promise.all(applications.map((each) => each.close()));
});

const heard = Promise.withResolvers<string>();
const ENDLESS = 96 * MIB;

test('a server-first protocol: the banner comes before the client said anything', async () => {
  const socket = await connectTo(mesh.service('web').calls('mail'));
  expect(await readLine(socket)).toBe('220 mail.mesh.test ready\r');
  socket.write('NOOP\r\n');
  expect((await readAll(socket)).toString()).toBe('250 NOOP\r\n');
  socket.end();
  await once(socket, 'close');
});

test('a half-closed connection: the client ends first, the answer comes much later', async () => {
  const socket = await connectTo(mesh.service('web').calls('late'));
  socket.end('anyone there?');
  expect((await readAll(socket)).toString()).toBe('you asked: anyone there?');
  await eventually(() => mesh.service('late').lines('connection')).toHaveLength(1);
  expect(mesh.service('late').lines('connection')[0]).toMatchObject({ level: 'info' });
});

test('a half-closed connection: the server ends first, the client goes on', async () => {
  const socket = await connectTo(mesh.service('web').calls('brief'));
  expect((await readAll(socket)).toString()).toBe('I have spoken\n');
  await delay(100);
  socket.write('but I ');
  await delay(50);
  socket.end('have not');
  expect(await heard.promise).toBe('but I have not');
});

test('a slow reader slows its writer: what waits in between is bounded', async () => {
  const before = await usage();
  const socket = await connectTo(mesh.service('web').calls('endless'));
  socket.pause();
  // As long as anything still moves, wait.
  for (let last = -1; last !== written; await delay(300)) last = written;
  expect(written).toBeLessThan(ENDLESS);
  // Three connections' buffers in the kernel, which bound themselves, and a few streams' high-water marks here.
  expect((await usage()).bytes - before.bytes).toBeLessThan(4 * MIB);

  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.resume();
  await once(socket, 'end');
  socket.end();
  expect(received).toBe(ENDLESS);
});
