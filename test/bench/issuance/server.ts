/**
 * A controller's issuance without Kubernetes: the real authority, service and gRPC server, and one pod. With the address
 * of an API server as its argument attestation and ledger are the real ones too, and ask that. Tells its parent port, roots and a first certificate, and at each line that it reads its CPU time so far.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeProvider } from '#handshake/crypto';
import {
  encodeTrustBundle,
  type PodIdentity,
  serviceAccountId,
  type SpiffePeer,
  spiffeVerifier,
} from '#identity';
import { kubernetesApi } from '#controller';
import { KubernetesAttestor, kubeConfigFor, Pods, TokenLeases } from '#controller/testing';
import { CertificateAuthority, parseIssuableRequest } from '#identity/ca';
import { IssuanceService, refuseIssuance } from '#identity/issuance';
import { createCertificateRequest, makeKeys, MemoryLedger } from '#identity/testing';
import { readMounted } from '#identity/workload';
import { RpcServer } from '#rpc';
import { jsonLog, ok, Scope, systemClock, Watch } from '#runtime';

const POD: PodIdentity = {
  namespace: 'shop',
  namespaceUid: '',
  serviceAccountName: 'web',
  serviceAccountUid: '6d0f5a9e-0000-4000-8000-000000000001',
  podName: 'web-6c7d4f5b9-x2x4z',
  podUid: '6d0f5a9e-0000-4000-8000-000000000002',
  nodeName: 'node-1',
  nodeUid: '6d0f5a9e-0000-4000-8000-000000000003',
};
const PLENTY = { burst: 1e9, perSecond: 1e9 };
const clock = systemClock;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const scope = new Scope('bench', (error) => {
  throw error;
});
// The audit record of each certificate is made and encoded, as it is in a controller, and goes nowhere.
const log = jsonLog('info', () => undefined);
const authority = await CertificateAuthority.open({
  directory: join(folder, 'ca'),
  trustDomain: 'mesh.test',
  clock,
  log,
});

const own = await credentialFor('controller', undefined);
const workload = await credentialFor('web', POD);
const service = new IssuanceService({
  authority,
  ...attestation(process.argv[2]),
  revocations: new Watch([]),
  clock,
  log,
  rates: { pod: PLENTY, overall: PLENTY, address: PLENTY, token: PLENTY },
});
const mounted = readMounted(own.pem, {
  crypto: nodeProvider,
  identity: serviceAccountId('mesh.test', 'bench', 'controller'),
  bundle: authority.bundle.value,
  now: clock.now(),
  renewals: 0,
});
if (!mounted.ok) throw new Error(mounted.error.detail);
const { credential } = mounted.value;
const server = await RpcServer.listen<SpiffePeer>(scope, {
  host: '127.0.0.1',
  port: 0,
  tls: () => ({
    crypto: nodeProvider,
    credential,
    clientAuthentication: {
      mode: 'request',
      required: false,
      verifier: spiffeVerifier({ bundle: authority.bundle, clock }),
    },
  }),
  services: (connection) => [service.serve(connection)],
  clock,
  log,
  limits: { connectionsPerAddress: 1000 },
});
say({ port: server.port, roots: encodeTrustBundle(authority.bundle.value), workload: workload.pem });
for await (const _ of createInterface(process.stdin)) say(process.cpuUsage());
await scope.close();
await authority.close();
rmSync(folder, { recursive: true });

function attestation(url: string | undefined) {
  if (url === undefined) {
    const attest = () => Promise.resolve(refuseIssuance('token-refused', 'bench'));
    return { attestor: { attest, confirm: () => ok(undefined) }, ledger: new MemoryLedger() };
  }
  const api = kubernetesApi(kubeConfigFor(url));
  const pods = new Pods('sallyport');
  pods.apply(`${POD.namespace}/${POD.podName}`, {
    metadata: { name: POD.podName, namespace: POD.namespace, uid: POD.podUid },
    spec: { serviceAccountName: POD.serviceAccountName, nodeName: POD.nodeName },
    status: { phase: 'Running', podIPs: [{ ip: '127.0.0.1' }] },
  });
  const known = { audience: 'sallyport', trustDomain: 'mesh.test', synced: () => true };
  return {
    attestor: new KubernetesAttestor({ api, pods, clock, ...known }),
    ledger: new TokenLeases({ api, namespace: 'bench', leads: new Watch(false), clock, log }),
  };
}

async function credentialFor(name: string, pod: PodIdentity | undefined) {
  const keys = makeKeys('ec-p256');
  const identity = serviceAccountId('mesh.test', 'bench', name);
  const attestation =
    pod === undefined
      ? undefined
      : ({ method: 'token', attestedAt: clock.now(), pod, remoteAddress: '127.0.0.1' } as const);
  const request = parseIssuableRequest(createCertificateRequest(keys));
  if (!request.ok) throw new Error(request.error.detail);
  const issued = await authority.issueFor(request.value, identity, attestation);
  if (!issued.ok) throw new Error(issued.error.detail);
  const certificate = issued.value.chain
    .map(
      (der) =>
        `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`,
    )
    .join('');
  return { pem: { certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) } };
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
