/**
 * `sallyport controller` on a clock that is so many milliseconds ahead, with intermediates of 18 hours: what happens in a
 * month happens in a few starts.
 *
 * controller-ahead.ts POD MILLISECONDS
 */
import { apiObjects, Controller, kubeConfig, kubernetesApi } from '#controller';
import { nodeProvider } from '#handshake/crypto';
import { parseCidr } from '#policy';
import { type Clock, jsonLog, Scope, systemClock } from '#runtime';
import { Telemetry } from '#telemetry';

const HOUR = 3_600_000;
const [pod = '', ahead = ''] = process.argv.slice(2);
const clock: Clock = { ...systemClock, now: () => Date.now() + Number(ahead) };
const log = jsonLog('info', (line) => void process.stdout.write(line));
const network = parseCidr('10.0.0.0/8');
if (!network.ok) throw new Error(network.error);
const scope = new Scope('controller', (error) => {
  throw error;
});
const kubernetes = kubeConfig();
await Controller.start(
  scope,
  {
    trustDomain: 'mesh.test',
    namespace: 'sallyport-system',
    serviceAccount: 'sallyport-controller',
    pod,
    audience: 'sallyport',
    host: '127.0.0.1',
    ports: { grpc: 0, status: 0 },
    leafLifetimeMilliseconds: 6 * HOUR,
    intermediateLifetimeMilliseconds: 18 * HOUR,
    clusterNetworks: [network.value],
    names: {
      stateSecret: 'sallyport-ca',
      revocationsSecret: 'sallyport-revocations',
      lease: 'sallyport-controller',
      trustBundle: 'sallyport-trust-bundle',
      sidecar: 'sallyport',
    },
  },
  {
    api: kubernetesApi(kubernetes),
    objects: apiObjects(kubernetes),
    telemetry: Telemetry.create({ clock, log, environment: {} }),
    crypto: nodeProvider,
    clock,
    log,
    random: Math.random,
  },
);
