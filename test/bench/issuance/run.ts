/**
 * Renewals that one second of a controller's CPU answers over standing connections: request checked, certificate signed,
 * inspected and audited. `npm run bench:issuance`; `-- --json` for programs. CPU time and not time on the clock, so that
 * other work on the machine counts less.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { nodeProvider } from '#handshake/crypto';
import { parseTrustBundle, serviceAccountId, spiffeVerifier } from '#identity';
import { createCertificateRequest, makeKeys } from '#identity/testing';
import { type MountedFiles, readMounted } from '#identity/workload';
import { ISSUANCE, RpcChannel } from '#rpc';
import { systemClock, Watch } from '#runtime';
import { median } from '../rounds.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '16' },
  },
});

const script = new URL('server.ts', import.meta.url).pathname;
const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
const { port, roots, workload } = await next<{ port: number; roots: string; workload: MountedFiles }>();
const bundle = parseTrustBundle('mesh.test', roots);
if (!bundle.ok) throw new Error(bundle.error.join());
const identity = serviceAccountId('mesh.test', 'bench', 'web');
const mounted = readMounted(workload, {
  crypto: nodeProvider,
  identity,
  bundle: bundle.value,
  now: Date.now(),
  renewals: 0,
});
if (!mounted.ok) throw new Error(mounted.error.detail);
const { credential } = mounted.value;

const verifier = spiffeVerifier({ bundle: new Watch(bundle.value), clock: systemClock });
const channels = Array.from(
  { length: Number(options.connections) },
  () =>
    new RpcChannel({
      target: { host: '127.0.0.1', port },
      tls: () => ({ crypto: nodeProvider, verifier, credential }),
      clock: systemClock,
    }),
);
const certificateRequest = Buffer.from(createCertificateRequest(makeKeys('ec-p256')));
const { signal } = new AbortController();

const rates: number[] = [];
// The first round is for connections and the compiler.
for (let round = 0; round <= Number(options.rounds); round += 1) {
  const before = await cpuMicroseconds();
  const end = performance.now() + Number(options.seconds) * 1000;
  const counts = await Promise.all(channels.map((channel) => renewUntil(channel, end)));
  const cpu = (await cpuMicroseconds()) - before;
  if (round > 0) rates.push(counts.reduce((sum, count) => sum + count, 0) / (cpu / 1e6));
}
for (const channel of channels) channel.close();
child.stdin.end();

const [load = 0] = loadavg();
const result = { renewalsPerCpuSecond: Math.round(median(rates)), rounds: rates.map(Math.round), load };
console.log(
  options.json
    ? JSON.stringify(result)
    : `${result.renewalsPerCpuSecond} renewals per second of CPU, over ${channels.length} connections ` +
        `(rounds: ${result.rounds.join(', ')}; load of the machine: ${load.toFixed(1)})`,
);

async function renewUntil(channel: RpcChannel, end: number): Promise<number> {
  let count = 0;
  while (performance.now() < end) {
    const answer = await channel.unary(
      ISSUANCE.Renew,
      { certificateRequest },
      { timeoutMilliseconds: 30_000, signal },
    );
    if (!answer.ok)
      throw new Error(`${answer.error.reason.code} ${answer.error.remoteCode}: ${answer.error.detail}`);
    count += 1;
  }
  return count;
}

async function cpuMicroseconds(): Promise<number> {
  child.stdin.write('\n');
  const { user, system } = await next<NodeJS.CpuUsage>();
  return user + system;
}

async function next<T>(): Promise<T> {
  const line = await lines.next();
  if (line.done === true) throw new Error('the server ended');
  return JSON.parse(line.value) as T;
}
