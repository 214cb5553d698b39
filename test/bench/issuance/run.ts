/**
 * Renewals that one second of a controller's CPU answers over standing connections: request checked, certificate signed,
 * inspected and audited. `npm run bench:issuance`; `-- --json` for programs. With `-- --first` first issuances instead: a
 * connection with its handshake for each, a token that an API server double reviews, and a Lease for the token. CPU time and not time on the clock, so that
 * other work on the machine counts less.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { FakeKubernetes, TestApiServer } from '#controller/testing';
import { nodeProvider } from '#handshake/crypto';
import { parseTrustBundle, serviceAccountId, spiffeVerifier } from '#identity';
import { createCertificateRequest, makeKeys } from '#identity/testing';
import { type MountedFiles, readMounted } from '#identity/workload';
import { ISSUANCE, RpcChannel } from '#rpc';
import { systemClock, Watch } from '#runtime';
import { median } from '../rounds.ts';

const { values: options } = parseArgs({
  options: {
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '16' },
  },
});

const script = new URL('server.ts', import.meta.url).pathname;
const kubernetes = new FakeKubernetes();
const api = new TestApiServer(systemClock, kubernetes);
await api.start();
const child = spawn(process.execPath, options.first ? [script, api.url] : [script], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
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
const channels = Array.from({ length: Number(options.connections) }, () => open(credential));
const certificateRequest = Buffer.from(createCertificateRequest(makeKeys('ec-p256')));
const { signal } = new AbortController();

const rates: number[] = [];
const times: number[] = [];
// The first round is for connections and the compiler.
for (let round = 0; round <= Number(options.rounds); round += 1) {
  const before = await cpuMicroseconds();
  const end = performance.now() + Number(options.seconds) * 1000;
  const counts = await Promise.all(
    channels.map((channel) => (options.first ? issueUntil(end) : renewUntil(channel, end))),
  );
  const cpu = (await cpuMicroseconds()) - before;
  if (round > 0) rates.push(counts.reduce((sum, count) => sum + count, 0) / (cpu / 1e6));
}
for (const channel of channels) channel.close();
child.stdin.end();
await api.stop();

const [load = 0] = loadavg();
const perCpuSecond = Math.round(median(rates));
const rounds = rates.map(Math.round);
const result = options.first
  ? { firstIssuancesPerCpuSecond: perCpuSecond, medianMilliseconds: median(times), rounds, load }
  : { renewalsPerCpuSecond: perCpuSecond, rounds, load };
console.log(
  options.json
    ? JSON.stringify(result)
    : `${perCpuSecond} ${options.first ? 'first issuances' : 'renewals'} per second of CPU, ` +
        `${channels.length} at a time${options.first ? `, ${median(times).toFixed(0)} ms each` : ''} ` +
        `(rounds: ${rounds.join(', ')}; load of the machine: ${load.toFixed(1)})`,
);

function open(shown: typeof credential | undefined): RpcChannel {
  return new RpcChannel({
    target: { host: '127.0.0.1', port },
    tls: () => ({
      crypto: nodeProvider,
      verifier,
      ...(shown === undefined ? {} : { credential: shown }),
    }),
    clock: systemClock,
  });
}

async function issueUntil(end: number): Promise<number> {
  let count = 0;
  while (performance.now() < end) {
    const token = newToken();
    const began = performance.now();
    const channel = open(undefined);
    const answer = await channel.unary(
      ISSUANCE.Issue,
      { certificateRequest, token },
      { timeoutMilliseconds: 30_000, signal },
    );
    if (!answer.ok) throw new Error(`${answer.error.remoteCode}: ${answer.error.detail}`);
    times.push(performance.now() - began);
    channel.close();
    kubernetes.reviews.delete(token);
    count += 1;
  }
  return count;
}

/** Of the server's pod, as long as one of Kubernetes. */
function newToken(): string {
  const id = randomUUID();
  const claims = {
    jti: id,
    aud: ['sallyport'],
    exp: Math.floor(Date.now() / 1000) + 600,
    x: 'x'.repeat(800),
  };
  const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  const extra = {
    'pod-name': 'web-6c7d4f5b9-x2x4z',
    'pod-uid': '6d0f5a9e-0000-4000-8000-000000000002',
    'node-name': 'node-1',
    'credential-id': `JTI=${id}`,
  };
  const prefixed = Object.entries(extra).map(([name, value]) => [
    `authentication.kubernetes.io/${name}`,
    [value],
  ]);
  const user = {
    username: 'system:serviceaccount:shop:web',
    uid: 'uid',
    extra: Object.fromEntries(prefixed),
  };
  kubernetes.reviews.set(token, { authenticated: true, audiences: ['sallyport'], user });
  return token;
}

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
