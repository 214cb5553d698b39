/**
 * Discovery at size: `node test/bench/discovery/bench.ts [sidecars] [services]`, 2000 and 5000 by default. One controller
 * in a process of its own, an API server double with two pods a Service, and simulated sidecars that each ask for one
 * Service that all share and 19 others. Prints what it took.
 */
import { fork } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { TestApiServer } from '#controller/testing';
import { nodeProvider } from '#handshake/crypto';
import { credentialOf, FakeVerifier, type Identity, makeIdentity } from '#handshake/testing';
import { systemClock } from '#runtime';
import { rpcDiscovery } from '#sidecar/discover';
import type { BenchReport } from './controller.ts';
import { addPod, fillCluster, moveShared, SHARED, serviceAddress } from './cluster.ts';

const sidecars = Number(process.argv[2] ?? 2_000);
const services = Number(process.argv[3] ?? 5_000);
const SUBSCRIPTIONS = 20;
const ROUNDS = 10;
const RENEW_MILLISECONDS = 3_300;
const AT_ONCE = 64;
const MIB = 1_048_576;

const api = new TestApiServer(systemClock);
await api.start();
fillCluster(api, services);
const begun = performance.now();
const child = fork(new URL('controller.ts', import.meta.url), [api.url], { execArgv: process.execArgv });
const [listening] = (await once(child, 'message')) as [Extract<BenchReport, { type: 'listening' }>];
while (!(await state()).synced) await pause(50);
say('all objects listed and kept', { ms: performance.now() - begun, ...memory(await state()) });

const identities = listening.keys.map(({ name, pem }): Identity => {
  // The certificate is the same bytes for the same name; the key is the controller's.
  const privateKey = createPrivateKey(pem);
  return { ...makeIdentity(name), privateKey };
});
const sidecarIdentity = identities.find(({ name }) => name === 'sidecar');
if (sidecarIdentity === undefined) throw new Error('the controller made no identity for sidecars');
const verifier = new FakeVerifier(await believed());
let broken = 0;
/** The change that is under way, and how many have heard of it. */
const change = { address: 'none', heard: 0 };
let renewals = 0;
const connecting = performance.now();
for (let from = 0; from < sidecars; from += AT_ONCE) {
  const ready = [];
  for (let index = from; index < Math.min(from + AT_ONCE, sidecars); index += 1) ready.push(connect(index));
  await Promise.all(ready);
  const done = from + AT_ONCE;
  if (done % (32 * AT_ONCE) === 0) {
    say(`${done} on the way`, { ms: performance.now() - connecting, broken, ...memory(await state()) });
  }
}
const connected = await state();
say(`${sidecars} sidecars connected and answered`, {
  ms: performance.now() - connecting,
  sessions: connected.sessions,
  subscriptions: connected.subscriptions,
  ...memory(connected),
});

await pause(2 * RENEW_MILLISECONDS);
const idle = await state();
const renewed = renewals;
await pause(10_000);
const later = await state();
say('standing streams, 10 s', {
  'CPU % of a core': (later.cpuMilliseconds - idle.cpuMilliseconds) / 100,
  'leases/s': (renewals - renewed) / 10,
  ...memory(later),
});

const times: number[] = [];
const before = await state();
const own = process.cpuUsage();
for (let round = 0; round < ROUNDS; round += 1) {
  change.heard = 0;
  change.address = addPod(api, round);
  // A pod is known long before it is ready and in a slice.
  await pause(500);
  const at = performance.now();
  moveShared(api, round, change.address);
  while (change.heard < sidecars && performance.now() - at < 30_000) await pause(2);
  times.push(change.heard < sidecars ? Number.POSITIVE_INFINITY : performance.now() - at);
}
times.sort((a, b) => a - b);
const after = await state();
const { user, system } = process.cpuUsage(own);
say('a change that concerns all reaches the last', {
  'median ms': times[ROUNDS / 2] ?? 0,
  'worst ms': times.at(-1) ?? 0,
  "controller's CPU ms for each": (after.cpuMilliseconds - before.cpuMilliseconds) / ROUNDS,
  "the simulated sidecars' CPU ms for each": (user + system) / 1_000 / ROUNDS,
  'load before': loadavg()[0] ?? 0,
  ...memory(after),
});
say('streams that broke', { broken });
process.exit(broken > 0 ? 1 : 0);

/** Resolves when every address that it asked for is answered. */
function connect(index: number): Promise<void> {
  return new Promise((resolve) => {
    let answers = 0;
    const stream = rpcDiscovery({
      target: { host: '127.0.0.1', port: listening.port },
      tls: () => ({ crypto: nodeProvider, verifier, credential: credentialOf(sidecarIdentity!) }),
      clock: systemClock,
    })({
      response({ answer, renewed }) {
        if (renewed) renewals += 1;
        if (!answer) return;
        answers += 1;
        if (answers === SUBSCRIPTIONS) resolve();
        if (answer.key?.address !== SHARED) return;
        if (answer.service?.endpoints.some(({ address }) => address === change.address)) change.heard += 1;
      },
      ended({ reason, detail }) {
        broken += 1;
        if (broken < 10) console.error(reason.code, detail);
        resolve();
      },
    });
    stream.send({ start: {} });
    const others = Array.from(
      { length: SUBSCRIPTIONS - 1 },
      (_, n) => 1 + ((index * 7 + n * 131) % (services - 1)),
    );
    const addresses = [SHARED, ...others.map(serviceAddress)];
    stream.send({
      subscribe: { keys: addresses.map((address) => ({ key: { address, port: 80 }, version: '' })) },
    });
    let sequence = 0;
    const renew = (): void => {
      sequence += 1;
      stream.send({ renew: { sequence } });
      systemClock.after(RENEW_MILLISECONDS, renew);
    };
    systemClock.after(Math.random() * RENEW_MILLISECONDS, renew);
  });
}

async function state(): Promise<Extract<BenchReport, { type: 'state' }>> {
  child.send('state');
  const [message] = (await once(child, 'message')) as [Extract<BenchReport, { type: 'state' }>];
  return message;
}

/** The identities with the public keys that go with their private ones. */
async function believed(): Promise<Identity[]> {
  const { createPublicKey } = await import('node:crypto');
  return identities.map((identity) => {
    const publicKey = createPublicKey(identity.privateKey).export({ type: 'spki', format: 'der' });
    return { ...identity, peer: { ...identity.peer, publicKey: new Uint8Array(publicKey) } };
  });
}

function memory({ rss, heap }: { readonly rss: number; readonly heap: number }) {
  return { 'RSS MiB': rss / MIB, 'heap MiB': heap / MIB };
}

function say(what: string, figures: Readonly<Record<string, number>>): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`);
  console.log(`${what}: ${shown.join(', ')}`);
}
