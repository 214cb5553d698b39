import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serviceAccountId } from '#identity';
import type { Destination, Endpoint } from '#sidecar';
import { Application, connectTo } from '../../support/application.ts';
import { allow, Mesh } from '../../support/mesh.ts';
import { sumOf } from '../../support/metrics.ts';
import { bePatient, eventually } from '../../support/patience.ts';
import { Relay, recordwise } from '../../support/relay.ts';
import { type Usage, usage } from '../../support/usage.ts';
import { believed } from './certificates.ts';
import { WRONG_CLIENTS } from './clients.ts';
import { heard, WRONG_SERVERS } from './servers.ts';

bePatient();

/** A connection that stayed would hold at least ten times as much. */
const BYTES_PER_CASE = 2_048;
const WARM_UP_ROUNDS = 5;
const ROUNDS = 20;
/** Long enough for an honest handshake on a busy machine, short enough to stall for. */
const TIMEOUT_MILLISECONDS = 300;

let mesh: Mesh;
/** Nobody reaches it. */
const application = await Application.tcp((socket) => socket.pipe(socket));
/** Is reached by honest sidecars, until the wire between them breaks. */
const reached = await Application.tcp((socket) => socket.pipe(socket));
const servers: Application[] = [];
let flipping: Relay;
let cutting: Relay;
const NAMES = ['orders', 'impatient', 'reached', 'web', 'hasty'];

beforeAll(async () => {
  const limits = { handshakeTimeoutMilliseconds: TIMEOUT_MILLISECONDS };
  const calls: Record<string, () => Destination> = {};
  const identities = [serviceAccountId('mesh.test', 'shop', 'orders')];
  for (const { wrong, serve } of WRONG_SERVERS) {
    const server = await Application.tcp(serve);
    servers.push(server);
    calls[wrong] = () => ({ kind: 'meshed', address: server, port: 8080, identities });
  }
  const across = (wire: () => Relay) => (): Destination => ({
    kind: 'meshed',
    address: wire(),
    port: 8080,
    identities: [mesh.service('reached').identity],
  });
  mesh = await Mesh.start({
    services: {
      orders: { application },
      impatient: { application, limits },
      reached: { application: reached },
      web: { calls: { ...calls, flipping: across(() => flipping), cutting: across(() => cutting) } },
      hasty: { calls, limits },
    },
    policies: {
      'orders.yaml': allow('orders', ['web']),
      'impatient.yaml': allow('impatient', ['web']),
      'reached.yaml': allow('reached', ['web']),
    },
    alsoTrust: [believed.root.der],
    keptHandshakes: 100,
  });
  const { inbound } = mesh.service('reached');
  // The client's sealed flight is long, what its application says is short.
  flipping = await Relay.start(inbound, {
    forth: recordwise((record) => [record[0] === 0x17 && record.length < 64 ? flipped(record) : record]),
  });
  cutting = await Relay.start(inbound);
});

afterAll(async () => {
  await mesh.close();
  await Promise.all([application, reached, flipping, cutting, ...servers].map((each) => each.close()));
});

/** Every wrong client, every wrong server and a wire that breaks, all at once. */
async function round(): Promise<void> {
  await Promise.all([
    ...WRONG_CLIENTS.map(({ attack, meets }) => attack(mesh.service(meets ?? 'orders').inbound)),
    ...WRONG_SERVERS.map(({ wrong, calledBy }) => callInVain(mesh.service(calledBy ?? 'web').calls(wrong))),
    callInVain(mesh.service('web').calls('flipping')),
    callInVain(mesh.service('web').calls('cutting'), () => cutting.cut()),
  ]);
}

/** Says something, does `onAnswer` if there is an answer, and waits for the end. */
async function callInVain(endpoint: Endpoint, onAnswer = (): void => undefined): Promise<void> {
  const socket = await connectTo(endpoint);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('data', onAnswer);
  socket.write('in vain');
  await closed;
}

function flipped(record: Buffer): Buffer {
  return record.map((byte, index) => (index === record.length - 1 ? byte ^ 1 : byte)) as Buffer;
}

/** What is left when every connection is over and what tests keep is thrown away. */
async function settled(): Promise<Usage> {
  const busy = async (): Promise<unknown[]> => {
    const dumps = await Promise.all(NAMES.map((name) => mesh.service(name).dump()));
    return dumps.map(({ connections, handshakesInProgress }) => ({
      ...(connections as { inbound: number; outbound: number }),
      handshakesInProgress,
    }));
  };
  const idle = { inbound: 0, outbound: 0, handshakesInProgress: 0 };
  await eventually(busy).toEqual(NAMES.map(() => expect.objectContaining(idle) as unknown));
  for (const name of NAMES) mesh.service(name).forgetLines();
  mesh.spans.forget();
  await delay(100);
  return usage();
}

/** Connections that ended, by their sidecars' own count; with `reason`, those that ended so. */
async function ended(reason?: string): Promise<number> {
  const pages = await Promise.all(NAMES.map((name) => mesh.service(name).metrics()));
  const labels = reason === undefined ? {} : { reason };
  const counts = NAMES.map((service, index) =>
    sumOf(pages[index] ?? '', 'sallyport_connections_closed_total', { service, ...labels }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

test('after 20 rounds of everything that is wrong, descriptors and memory are where they were', {
  timeout: 300_000,
}, async ({ annotate }) => {
  for (let index = 0; index < WARM_UP_ROUNDS; index += 1) await round();
  const before = await settled();
  for (let index = 0; index < ROUNDS; index += 1) await round();
  const after = await settled();
  // A broken wire is told by both of its sides.
  const cases = WRONG_CLIENTS.length + WRONG_SERVERS.length + 2 * 2;
  await annotate(`${ROUNDS} rounds of ${cases} cases: ${JSON.stringify({ before, after })}`);
  expect(await ended()).toBe((WARM_UP_ROUNDS + ROUNDS) * cases);
  expect(await ended('none')).toBe(0);
  expect(after.descriptors).toBe(before.descriptors);
  // What V8 still learns about the code in these rounds is about 1 MiB, and less with each further round.
  expect((after.bytes - before.bytes) / (ROUNDS * cases)).toBeLessThan(BYTES_PER_CASE);
  expect(application.connections).toBe(0);
  expect(heard).toEqual([]);
});
