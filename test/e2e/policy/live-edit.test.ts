import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeEach, afterEach, expect, test } from 'vitest';
import { Application, connectTo } from '../../support/application.ts';
import { readAll, readLine } from '../../support/bytes.ts';
import { allow, Mesh } from '../../support/mesh.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

const SECOND = 1_000;
/** A bound on time, on a machine that may be busy with other things. */
const BEST_OF_THREE = { retry: 2 };

let mesh: Mesh;
const echo = await Application.tcp((socket) => socket.pipe(socket));

beforeEach(async () => {
  mesh = await Mesh.start({
    services: {
      orders: { application: echo },
      payments: { application: echo },
      web: { calls: ['orders', 'payments'] },
    },
    policies: {
      'orders.yaml': allow('orders', ['somebody-else']),
      'payments.yaml': allow('payments', ['web']),
    },
  });
});

afterEach(() => mesh.close());
afterAll(() => echo.close());

function call(callee: string): Promise<Socket> {
  return connectTo(mesh.service('web').calls(callee));
}

/** Whether the callee's echo comes back over this connection. */
async function answers(socket: Socket, word: string): Promise<boolean> {
  socket.write(`${word}\n`);
  return readLine(socket).then(
    (line) => line === word,
    () => false,
  );
}

/** Milliseconds until it holds; looks often enough to tell a second. */
async function until(holds: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > 30 * SECOND) throw new Error('not within 30 seconds');
    await delay(20);
  }
  return performance.now() - started;
}

test('saving a file opens an edge in under a second; other connections go on', BEST_OF_THREE, async () => {
  const refused = await call('orders');
  expect(await answers(refused, 'let me in')).toBe(false);
  const [denied] = mesh.handshakes('orders');
  expect(denied).toMatchObject({ result: 'refused', reason: 'no-policy-allows' });
  expect(denied?.detail).toContain('orders.yaml');
  const untouched = await call('payments');
  expect(await answers(untouched, 'before')).toBe(true);

  mesh.savePolicy('orders.yaml', allow('orders', ['somebody-else', 'web']));
  const took = await until(async () => {
    const socket = await call('orders');
    const held = await answers(socket, 'let me in');
    socket.destroy();
    return held;
  });
  expect(took).toBeLessThan(SECOND);
  expect(await answers(untouched, 'after')).toBe(true);
  expect(mesh.handshakes('payments')).toHaveLength(1);
  expect(mesh.service('payments').lines('connection')).toEqual([]);
  untouched.destroy();
});

test(
  'a live connection that is no longer allowed ends with the reason; the others go on',
  BEST_OF_THREE,
  async () => {
    mesh.savePolicy('orders.yaml', allow('orders', ['web']));
    await eventually(() => mesh.policies.policies.value.epoch).toBeGreaterThan(1);
    const ended = await call('orders');
    const untouched = await call('payments');
    expect(await answers(ended, 'live')).toBe(true);
    expect(await answers(untouched, 'live')).toBe(true);

    const closed = new Promise((resolve) => ended.once('close', resolve));
    const started = performance.now();
    mesh.savePolicy('orders.yaml', allow('orders', ['somebody-else']));
    await closed;
    expect(performance.now() - started).toBeLessThan(SECOND);
    await eventually(() => mesh.service('orders').lines('connection')).toHaveLength(1);
    const [line] = mesh.service('orders').lines('connection');
    expect(line).toMatchObject({
      level: 'warn',
      reason: 'policy-changed',
      peer: mesh.service('web').identity.toString(),
    });
    expect(line?.detail).toContain('orders.yaml');
    // The caller's side has the alert and the same trace.
    await eventually(() => mesh.service('web').lines('connection')).toHaveLength(1);
    expect(mesh.service('web').lines('connection')[0]).toMatchObject({
      reason: 'alert-received',
      detail: 'access_denied',
      traceId: line?.traceId,
    });
    expect(await mesh.service('orders').metrics()).toMatch(
      /^sallyport_connections_closed_total\{[^}]*reason="policy-changed"[^}]*\} 1$/m,
    );

    expect(await answers(untouched, 'still')).toBe(true);
    expect(mesh.service('payments').lines('connection')).toEqual([]);
    untouched.destroy();
  },
);

test('a bad file keeps the last good policies, and names every mistake with its place', async () => {
  const before = await call('payments');
  expect(await answers(before, 'before')).toBe(true);
  const good = allow('payments', ['web']);
  const bad = good.replace('action: Allow', 'action: Alow').replace('targetRef', 'targetReff');
  mesh.savePolicy('payments.yaml', bad);
  await eventually(() => mesh.policies.problems.value.length).toBeGreaterThanOrEqual(2);
  const problems = mesh.policies.problems.value;
  const lineOf = (text: string): number => bad.split('\n').findIndex((line) => line.includes(text)) + 1;
  expect(problems.every(({ file }) => file.endsWith('payments.yaml'))).toBe(true);
  expect(problems.map(({ line }) => line)).toEqual(
    expect.arrayContaining([lineOf('action: Alow'), lineOf('targetReff')]),
  );

  // Nothing opened, nothing closed.
  expect(await answers(before, 'live')).toBe(true);
  const after = await call('payments');
  expect(await answers(after, 'after')).toBe(true);
  const refused = await call('orders');
  expect(await answers(refused, 'let me in')).toBe(false);
  expect(mesh.policies.policies.value.epoch).toBe(1);

  mesh.savePolicy('payments.yaml', good.replace('web', 'nobody'));
  const closed = await Promise.all([readAll(before), readAll(after)].map((all) => all.then(String, String)));
  expect(closed).toHaveLength(2);
  expect(mesh.policies.problems.value).toEqual([]);
});
