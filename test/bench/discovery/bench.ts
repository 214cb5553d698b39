/**
 * Discovery at size: `node test/bench/discovery/bench.ts [sidecars] [services]`, 2000 and 5000 by default. One controller
 * in a process of its own, an API server double with two pods a Service, and simulated sidecars, divided among processes,
 * that each ask for one Service that all share and 19 others. Prints what it took.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { TestApiServer } from '#controller/testing';
import { systemClock } from '#runtime';
import { addPod, fillCluster, moveShared } from './cluster.ts';
import type { BenchReport } from './controller.ts';
import type { SidecarsReport, SidecarsRequest } from './sidecars.ts';

const sidecars = Number(process.argv[2] ?? 2_000);
const services = Number(process.argv[3] ?? 5_000);
const PER_PROCESS = 1_250;
const ROUNDS = 10;
const MIB = 1_048_576;

const api = new TestApiServer(systemClock);
await api.start();
fillCluster(api, services);
const begun = performance.now();
const child = fork(new URL('controller.ts', import.meta.url), [api.url], { execArgv: process.execArgv });
const [listening] = (await once(child, 'message')) as [Extract<BenchReport, { type: 'listening' }>];
while (!(await state()).synced) await pause(50);
say('all objects listed and kept', { ms: performance.now() - begun, ...memory(await state()) });

const processes = Math.ceil(sidecars / PER_PROCESS);
const groups = Array.from({ length: processes }, (_, index) => {
  const first = Math.floor((index * sidecars) / processes);
  const count = Math.floor(((index + 1) * sidecars) / processes) - first;
  return fork(new URL('sidecars.ts', import.meta.url), [listening.port, first, count, services].map(String), {
    execArgv: [],
  });
});
const connecting = performance.now();
const connected = Promise.all(
  groups.map((group) => {
    const ready = reported(group, 'connected');
    send(group, { type: 'connect', keys: listening.keys });
    return ready;
  }),
).then(() => true);
while (!(await Promise.race([connected, pause(15_000, false)]))) await progress('on the way');
await progress(`${sidecars} sidecars connected`);

await pause(7_000);
const [idle, idleSidecars] = [await state(), await sidecarsState()];
await pause(10_000);
const [later, laterSidecars] = [await state(), await sidecarsState()];
say('standing streams, 10 s', {
  'CPU % of a core': (later.cpuMilliseconds - idle.cpuMilliseconds) / 100,
  "the sidecars' CPU %": (laterSidecars.cpuMilliseconds - idleSidecars.cpuMilliseconds) / 100,
  'leases/s': (laterSidecars.renewals - idleSidecars.renewals) / 10,
  ...memory(later),
});

const times: number[] = [];
const [before, sidecarsBefore] = [await state(), await sidecarsState()];
for (let round = 0; round < ROUNDS; round += 1) {
  const address = addPod(api, round);
  for (const group of groups) send(group, { type: 'await', address });
  // A pod is known long before it is ready and in a slice.
  await pause(500);
  const heard = Promise.all(groups.map((group) => reported(group, 'heard')));
  const at = performance.now();
  moveShared(api, round, address);
  const all = await Promise.race([heard.then(() => true), pause(30_000, false)]);
  times.push(all ? performance.now() - at : Number.POSITIVE_INFINITY);
}
times.sort((a, b) => a - b);
const [after, sidecarsAfter] = [await state(), await sidecarsState()];
say('a change that concerns all reaches the last', {
  'median ms': times[ROUNDS / 2] ?? 0,
  'worst ms': times.at(-1) ?? 0,
  "controller's CPU ms for each": (after.cpuMilliseconds - before.cpuMilliseconds) / ROUNDS,
  "the simulated sidecars' CPU ms for each":
    (sidecarsAfter.cpuMilliseconds - sidecarsBefore.cpuMilliseconds) / ROUNDS,
  'load before': loadavg()[0] ?? 0,
  ...memory(after),
});
say('streams that broke', { broken: sidecarsAfter.broken });
process.exit(sidecarsAfter.broken > 0 ? 1 : 0);

async function progress(what: string): Promise<void> {
  const [controller, { answered, broken, reasons, rss }] = [await state(), await sidecarsState()];
  const { sessions, subscriptions } = controller;
  say(what, {
    ms: performance.now() - connecting,
    ...{ answered, broken, sessions, subscriptions },
    ...memory(controller),
    "the sidecars' RSS MiB": rss / MIB,
    load: loadavg()[0] ?? 0,
    ...reasons,
  });
}

async function state(): Promise<Extract<BenchReport, { type: 'state' }>> {
  child.send('state');
  const [message] = (await once(child, 'message')) as [Extract<BenchReport, { type: 'state' }>];
  return message;
}

/** Of all of them together. */
async function sidecarsState(): Promise<Extract<SidecarsReport, { type: 'state' }>> {
  const states = await Promise.all(
    groups.map((group) => {
      const answer = reported(group, 'state');
      send(group, { type: 'state' });
      return answer;
    }),
  );
  const reasons: Record<string, number> = {};
  for (const each of states) {
    for (const [why, times] of Object.entries(each.reasons)) reasons[why] = (reasons[why] ?? 0) + times;
  }
  const sum = (field: 'answered' | 'renewals' | 'broken' | 'cpuMilliseconds' | 'rss'): number =>
    states.reduce((total, each) => total + each[field], 0);
  return {
    type: 'state',
    answered: sum('answered'),
    renewals: sum('renewals'),
    broken: sum('broken'),
    reasons,
    cpuMilliseconds: sum('cpuMilliseconds'),
    rss: sum('rss'),
  };
}

function send(group: ChildProcess, request: SidecarsRequest): void {
  group.send(request);
}

/** The next report of this type. */
function reported<Type extends SidecarsReport['type']>(
  group: ChildProcess,
  type: Type,
): Promise<Extract<SidecarsReport, { type: Type }>> {
  return new Promise((resolve) => {
    const listen = (message: SidecarsReport): void => {
      if (message.type !== type) return;
      group.off('message', listen);
      resolve(message as Extract<SidecarsReport, { type: Type }>);
    };
    group.on('message', listen);
  });
}

function memory({ rss, heap }: { readonly rss: number; readonly heap: number }) {
  return { 'RSS MiB': rss / MIB, 'heap MiB': heap / MIB };
}

function say(what: string, figures: Readonly<Record<string, number>>): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`);
  console.log(`${what}: ${shown.join(', ')}`);
}
