/**
 * The controller's part of discovery in a process of its own, for test/bench/discovery/bench.ts: so its memory is its
 * own. Started by fork; the API server's address comes as its argument.
 */
import { apiObjects, Cluster, discoveryService, Hub } from '#controller/discovery';
import { nodeProvider } from '#handshake/crypto';
import { credentialOf, FakeVerifier, makeIdentity } from '#handshake/testing';
import { parseCidr } from '#policy';
import { RpcServer } from '#rpc';
import { Scope, silentLog, systemClock } from '#runtime';
import { kubeConfigFor } from '#controller/testing';

/** What the bench asks, and what it is told. */
export type BenchRequest = 'state';
export type BenchReport =
  | {
      readonly type: 'listening';
      readonly port: number;
      readonly keys: readonly { readonly name: string; readonly pem: string }[];
    }
  | {
      readonly type: 'state';
      readonly rss: number;
      readonly heap: number;
      readonly cpuMilliseconds: number;
      readonly synced: boolean;
      readonly sessions: number;
      readonly subscriptions: number;
    };

const identities = ['controller', 'sidecar'].map((name) => makeIdentity(name));
const [own] = identities;
if (own === undefined) throw new Error('no identity was made');
const verifier = new FakeVerifier(identities);
const scope = new Scope('bench', (error) => {
  console.error(error);
  process.exitCode = 1;
});
const parts = { clock: systemClock, log: silentLog };
const networks = ['10.0.0.0/8'].map(parseCidr).flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
const cluster = new Cluster({
  api: apiObjects(kubeConfigFor(process.argv[2] ?? '')),
  clusterNetworks: networks,
  random: Math.random,
  ...parts,
});
const hub = new Hub({ cluster, trustDomain: 'mesh.test', ...parts });
hub.run(scope);
cluster.run(scope);
const server = await RpcServer.listen(scope, {
  host: '127.0.0.1',
  port: 0,
  tls: () => ({
    crypto: nodeProvider,
    credential: credentialOf(own),
    clientAuthentication: { mode: 'request', required: false, verifier },
  }),
  services: (connection) => [discoveryService(hub, connection)],
  limits: { connectionsPerAddress: 24_000 },
  ...parts,
});
const report = (message: BenchReport): void => void process.send?.(message);
process.on('message', () => {
  const { rss, heapUsed: heap } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  report({
    type: 'state',
    rss,
    heap,
    cpuMilliseconds: (user + system) / 1_000,
    synced: cluster.synced,
    sessions: hub.sessions,
    subscriptions: hub.subscriptions,
  });
});
process.on('disconnect', () => process.exit());
report({
  type: 'listening',
  port: server.port,
  keys: identities.map(({ name, privateKey }) => ({
    name,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  })),
});
