import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serviceAccountId } from '#identity';
import type { Destination } from '#sidecar';
import { Application, connectTo } from '../../support/application.ts';
import { allow, Mesh } from '../../support/mesh.ts';
import { type Usage, usage } from '../../support/usage.ts';
import { believed } from './certificates.ts';
import { WRONG_CLIENTS } from './clients.ts';
import { WRONG_SERVERS } from './servers.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

/** A connection that stayed would hold at least ten times as much. */
const BYTES_PER_CASE = 2_048;
const WARM_UP_ROUNDS = 5;
const ROUNDS = 20;
/** Long enough for an honest handshake on a busy machine, short enough to stall for. */
const TIMEOUT_MILLISECONDS = 300;

let mesh: Mesh;
const application = await Application.tcp((socket) => socket.pipe(socket));
const servers: Application[] = [];

beforeAll(async () => {
  const limits = { handshakeTimeoutMilliseconds: TIMEOUT_MILLISECONDS };
  const calls: Record<string, () => Destination> = {};
  const identities = [serviceAccountId('mesh.test', 'shop', 'orders')];
  for (const { wrong, serve } of WRONG_SERVERS) {
    const server = await Application.tcp(serve);
    servers.push(server);
    calls[wrong] = () => ({ kind: 'meshed', address: server, port: 8080, identities });
  }
  mesh = await Mesh.start({
    services: {
      orders: { application },
      impatient: { application, limits },
      web: { calls },
      hasty: { calls, limits },
    },
    policies: { 'orders.yaml': allow('orders', ['web']), 'impatient.yaml': allow('impatient', ['web']) },
    alsoTrust: [believed.root.der],
    keptHandshakes: 100,
  });
});

afterAll(async () => {
  await mesh.close();
  await Promise.all([application, ...servers].map((each) => each.close()));
});

/** Every wrong client and every wrong server, all at once. */
async function round(): Promise<void> {
  await Promise.all([
    ...WRONG_CLIENTS.map(({ attack, meets }) => attack(mesh.service(meets ?? 'orders').inbound)),
    ...WRONG_SERVERS.map(async ({ wrong, calledBy }) => {
      const socket = await connectTo(mesh.service(calledBy ?? 'web').calls(wrong));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.resume().write('must not leave');
      await closed;
    }),
  ]);
}

/** What is left when every connection is over and what tests keep is thrown away. */
async function settled(): Promise<Usage> {
  const names = ['orders', 'impatient', 'web', 'hasty'];
  const busy = async (): Promise<unknown[]> => {
    const dumps = await Promise.all(names.map((name) => mesh.service(name).dump()));
    return dumps.map(({ connections, handshakesInProgress }) => ({
      ...(connections as { inbound: number; outbound: number }),
      handshakesInProgress,
    }));
  };
  const idle = { inbound: 0, outbound: 0, handshakesInProgress: 0 };
  await eventually(busy).toEqual(names.map(() => expect.objectContaining(idle) as unknown));
  for (const name of names) mesh.service(name).forgetLines();
  mesh.spans.forget();
  await delay(100);
  return usage();
}

test('after 20 rounds of everything that is wrong, descriptors and memory are where they were', {
  timeout: 300_000,
}, async ({ annotate }) => {
  for (let index = 0; index < WARM_UP_ROUNDS; index += 1) await round();
  const before = await settled();
  for (let index = 0; index < ROUNDS; index += 1) await round();
  const after = await settled();
  const cases = WRONG_CLIENTS.length + WRONG_SERVERS.length;
  await annotate(`${ROUNDS} rounds of ${cases} cases: ${JSON.stringify({ before, after })}`);
  expect(after.descriptors).toBe(before.descriptors);
  // What V8 still learns about the code in these rounds is about 1 MiB, and less with each further round.
  expect((after.bytes - before.bytes) / (ROUNDS * cases)).toBeLessThan(BYTES_PER_CASE);
  expect(application.connections).toBe(0);
});
