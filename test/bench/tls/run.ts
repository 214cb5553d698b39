/**
 * The engine beside node:tls: what one second of a server's CPU does, in alternating rounds. `npm run bench:tls`;
 * `-- --json` for programs. A server runs on the last processor, its clients on the others.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { makeAuthority } from '#identity/testing';
import { median } from '../rounds.ts';
import { type Kind, KINDS, type ServerOrder, type Work } from './kinds.ts';
import type { LoadOrder, LoadResult } from './load.ts';

interface Contest {
  readonly name: string;
  readonly unit: string;
  /** What is done, in the unit. */
  readonly scale: number;
  readonly work: Work;
  readonly group: ServerOrder['group'];
  /** Different client certificates. */
  readonly clients: number;
  readonly writeBytes: number;
}

const TICKS_PER_SECOND = 100;
const WARM_UP_MILLISECONDS = 5000;
const LAST = String(availableParallelism() - 1);
const OTHERS = availableParallelism() > 1 ? `0-${availableParallelism() - 2}` : '0';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});

const X25519 = { engine: 'x25519', openssl: 'X25519' } as const;
const HYBRID = { engine: 'X25519MLKEM768', openssl: 'X25519MLKEM768' } as const;
const handshakes = { unit: 'handshakes', scale: 1, work: 'full', writeBytes: 1 } as const;
const bulk = { unit: 'MB', scale: 1e-6, group: X25519, clients: 1 } as const;
const contests: readonly Contest[] = [
  { name: 'full handshake, one client', ...handshakes, group: X25519, clients: 1 },
  { name: 'full handshake, 1,000 clients', ...handshakes, group: X25519, clients: 1000 },
  { name: 'full handshake, X25519MLKEM768', ...handshakes, group: HYBRID, clients: 1 },
  { name: 'out, writes of 16 KiB', ...bulk, work: 'out', writeBytes: 16_384 },
  { name: 'out, writes of 1 KiB', ...bulk, work: 'out', writeBytes: 1024 },
  { name: 'in, writes of 16 KiB', ...bulk, work: 'in', writeBytes: 16_384 },
];

const authority = makeAuthority({ trustDomain: 'mesh.test' });
const leafOf = (name: string): { readonly chain: string; readonly key: string } =>
  authority.makeLeaf({ spiffeId: `spiffe://mesh.test/ns/bench/sa/${name}` }).pem;
const server = leafOf('server');
const clients = Array.from({ length: 1000 }, (_, index) => leafOf(`client-${index}`));

const results = [];
for (const contest of contests.filter(({ name }) => name.includes(options.only))) {
  const perSecond = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const kind of KINDS) perSecond.get(kind)?.push(await measure(kind, contest));
  }
  const figures = Object.fromEntries([...perSecond].map(([kind, all]) => [kind, median(all)]));
  results.push({ name: contest.name, unit: contest.unit, perCpuSecond: figures });
  console.error(`${contest.name}: ${JSON.stringify(figures)}`);
}
const load = loadavg().map((value) => value.toFixed(1));
if (options.json) console.log(JSON.stringify({ load, results }, null, 2));
else {
  const table = new Table({
    head: ['per second of server CPU', ...KINDS, 'engine-openssl / node-tls'],
    style: { head: [], border: [] },
  });
  for (const { name, unit, perCpuSecond } of results) {
    const ratio = (perCpuSecond['engine-openssl'] ?? Number.NaN) / (perCpuSecond['node-tls'] ?? Number.NaN);
    table.push([
      `${name} (${unit})`,
      ...KINDS.map((kind) => perCpuSecond[kind]?.toFixed(0)),
      ratio.toFixed(2),
    ]);
  }
  console.log(table.toString());
  console.log(`Load of the machine over 1, 5 and 15 minutes: ${load.join(', ')}.`);
}

async function measure(kind: Kind, contest: Contest): Promise<number> {
  const { work, group, writeBytes } = contest;
  const order: ServerOrder = { kind, work, group, root: authority.rootPem, ...server, writeBytes };
  const child = onProcessors(LAST, 'server.ts', order);
  try {
    const port = await firstLine(child);
    const common = {
      ...{ port: Number(port), work, group, root: authority.rootPem, writeBytes },
      concurrency: work === 'full' ? 16 : 4,
      bytes: 8_000_000,
      clients: clients.slice(0, contest.clients),
    };
    // A sidecar runs for days: what a compiler does in its first seconds is not what is asked.
    await drive({ ...common, milliseconds: WARM_UP_MILLISECONDS });
    const before = cpuSeconds(child.pid);
    const { done } = await drive({ ...common, milliseconds: Number(options.seconds) * 1000 });
    return (done * contest.scale) / (cpuSeconds(child.pid) - before);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

async function drive(order: LoadOrder): Promise<LoadResult> {
  const child = onProcessors(OTHERS, 'load.ts', order);
  return JSON.parse(await firstLine(child)) as LoadResult;
}

/** The order goes in by standard input: a thousand certificates are too long for an argument. */
function onProcessors(list: string, script: string, order: ServerOrder | LoadOrder): ChildProcess {
  const args = ['-c', list, process.execPath, `${import.meta.dirname}/${script}`];
  const child = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin?.end(JSON.stringify(order));
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the process has no output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the process ended without a line');
}

/** User and system time of a process: /proc/PID/stat, fields 14 and 15 (proc_pid_stat(5)), in ticks of 10 ms. */
function cpuSeconds(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
