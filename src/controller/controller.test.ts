import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { parseTrustBundle, serviceAccountId, spiffeVerifier, type TrustBundle } from '#identity';
import { RemoteIssuance } from '#identity/issuance';
import { createCertificateRequest, makeKeys } from '#identity/testing';
import { WorkloadAgent } from '#identity/workload';
import { parseCidr } from '#policy';
import { DISCOVERY, type DiscoveryResponse__Output, RpcChannel } from '#rpc';
import { ok, Scope, silentLog, systemClock, Watch } from '#runtime';
import { Telemetry } from '#telemetry';
import { Controller, type ControllerSettings } from './controller.ts';
import { apiObjects } from './discovery/index.ts';
import { FakeKubernetes, TestApiServer } from './testing/index.ts';

const NETWORK = parseCidr('10.0.0.0/8');
if (!NETWORK.ok) throw new Error(NETWORK.error);
const SETTINGS: ControllerSettings = {
  trustDomain: 'mesh.test',
  namespace: 'sallyport-system',
  serviceAccount: 'sallyport-controller',
  pod: 'controller-0',
  audience: 'sallyport',
  host: '127.0.0.1',
  ports: { grpc: 0, status: 0 },
  leafLifetimeMilliseconds: 6 * 3_600_000,
  intermediateLifetimeMilliseconds: 720 * 3_600_000,
  clusterNetworks: [NETWORK.value],
  names: {
    stateSecret: 'sallyport-ca',
    revocationsSecret: 'sallyport-revocations',
    lease: 'sallyport-controller',
    trustBundle: 'sallyport-trust-bundle',
    sidecar: 'sallyport',
  },
};
const PATIENCE = { timeout: 30_000 };
const CONFIG_MAP = '/api/v1/namespaces/shop/configmaps/sallyport-trust-bundle';

let scope: Scope;
let kubernetes: FakeKubernetes;
let server: TestApiServer;
const failures: unknown[] = [];

beforeEach(async () => {
  scope = new Scope('test', (error) => failures.push(error));
  kubernetes = new FakeKubernetes();
  server = new TestApiServer(systemClock);
  await server.start();
  for (const name of ['shop', 'sallyport-system']) {
    kubernetes.put(`/api/v1/namespaces/${name}`, { metadata: { name } });
  }
  server.put('/api/v1/pods', {
    metadata: { name: 'web-0', namespace: 'shop', uid: 'uid-web-0' },
    spec: { serviceAccountName: 'web', nodeName: 'node-1', containers: [] },
    status: { phase: 'Running', podIPs: [{ ip: '127.0.0.1' }] },
  });
});
afterEach(async () => {
  await scope.close();
  await server.stop();
  expect(failures.splice(0)).toEqual([]);
});

function start(
  pod = 'controller-0',
  own: Scope = scope,
  changes: Partial<ControllerSettings> = {},
): Promise<Controller> {
  const telemetry = Telemetry.create({ clock: systemClock, log: silentLog, environment: {} });
  own.defer(() => telemetry.shutdown());
  return Controller.start(
    own,
    { ...SETTINGS, ...changes, pod },
    {
      api: kubernetes,
      objects: apiObjects(server.kubeConfig),
      telemetry,
      crypto: nodeProvider,
      clock: systemClock,
      log: silentLog,
      random: Math.random,
    },
  );
}

async function bundle(): Promise<TrustBundle> {
  await expect.poll(() => kubernetes.objects.has(CONFIG_MAP), PATIENCE).toBe(true);
  const { data } = kubernetes.objects.get(CONFIG_MAP) as unknown as { data: Record<string, string> };
  const parsed = parseTrustBundle('mesh.test', data['trust-bundle.pem'] ?? '');
  if (!parsed.ok) throw new Error(parsed.error.join());
  return parsed.value;
}

/** A sidecar that has what a pod has: the mounted roots and its token. */
async function sidecar(port: number, token: string): Promise<WorkloadAgent> {
  const roots = new Watch(await bundle());
  const agent: WorkloadAgent = new WorkloadAgent({
    identity: serviceAccountId('mesh.test', 'shop', 'web'),
    issuance: new RemoteIssuance({
      target: { host: '127.0.0.1', port },
      controller: serviceAccountId('mesh.test', 'sallyport-system', 'sallyport-controller'),
      bundle: roots,
      readToken: () => Promise.resolve(ok(token)),
      current: () => agent.credentials.value,
      crypto: nodeProvider,
      clock: systemClock,
    }),
    bundle: roots,
    clock: systemClock,
    crypto: nodeProvider,
    log: silentLog,
    random: Math.random,
  });
  agent.run(scope);
  return agent;
}

function token(audience = 'sallyport', id = 'JTI=1'): string {
  const claims = { jti: id, aud: [audience], exp: Math.floor(Date.now() / 1000) + 3600 };
  const text = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  const extra = {
    'pod-name': 'web-0',
    'pod-uid': 'uid-web-0',
    'node-name': 'node-1',
    'credential-id': id,
  };
  kubernetes.reviews.set(text, {
    authenticated: true,
    audiences: [audience],
    user: {
      username: 'system:serviceaccount:shop:web',
      uid: 'sa',
      extra: Object.fromEntries(
        Object.entries(extra).map(([name, value]) => [`authentication.kubernetes.io/${name}`, [value]]),
      ),
    },
  });
  return text;
}

async function page(port: number, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

test('a pod with the mounted roots and a token gets its certificate, and none once its pod is gone', async () => {
  const controller = await start();
  const agent = await sidecar(controller.grpcPort, token());
  const first = await agent.whenReady(scope.signal);
  await new Promise((resolve) => setImmediate(resolve));
  expect((await agent.renewNow()).ok).toBe(true);
  expect(agent.credentials.value!.serial).not.toBe(first.serial);
  await expect.poll(() => page(controller.statusPort, '/ready'), PATIENCE).toBe('ready\n');
  server.delete('/api/v1/pods', 'shop/web-0');
  await expect
    .poll(async () => {
      const renewed = await agent.renewNow();
      return renewed.ok ? '' : renewed.error.reason.code;
    }, PATIENCE)
    .toBe('pod-unknown');
  const metrics = await page(controller.statusPort, '/metrics');
  expect(metrics).toMatch(/sallyport_issuance_requests_total\{.*method="renew".*reason="pod-unknown".*\} 1/);
  expect(metrics).toMatch(/sallyport_issuance_requests_total\{.*method="issue".*reason="none".*\} 1/);
  expect(metrics).toMatch(/sallyport_certificate_seconds_to_outage\{.*service="controller".*\} 2\d{4}/);
});

test('a refusal reaches the sidecar and the metrics by its reason', async () => {
  const controller = await start();
  const agent = await sidecar(controller.grpcPort, token('another'));
  expect(await agent.renewNow()).toMatchObject({ error: { reason: { code: 'token-wrong-audience' } } });
  expect(await page(controller.statusPort, '/metrics')).toMatch(/reason="token-wrong-audience".*\} 1/);
});

test('two replicas sign under one root, and one goes on when the other is killed', async () => {
  const [one, two] = [scope.child('one'), scope.child('two')];
  const [first, second] = await Promise.all([start('a', one), start('b', two)]);
  const agent = await sidecar(first.grpcPort, token());
  const other = await sidecar(second.grpcPort, token('sallyport', 'JTI=2'));
  await Promise.all([agent.whenReady(scope.signal), other.whenReady(scope.signal)]);
  await one.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect((await other.renewNow()).ok).toBe(true);
  expect((await agent.renewNow()).ok).toBe(false);
  // What it had stays in use.
  expect(agent.credentials.value).toBeDefined();
});

test('attack: one token with two keys, at two replicas at the same moment and one after the other', async () => {
  const [one, two] = [scope.child('one'), scope.child('two')];
  const [first, second] = await Promise.all([start('a', one), start('b', two)]);
  for (let round = 0; round < 5; round += 1) {
    const text = token('sallyport', `JTI=${round}`);
    const agents = await Promise.all([sidecar(first.grpcPort, text), sidecar(second.grpcPort, text)]);
    const answers = await Promise.all(agents.map((agent) => agent.renewNow()));
    expect(answers.map((answer) => (answer.ok ? 'issued' : answer.error.reason.code)).sort()).toEqual([
      'issued',
      'token-used-with-another-key',
    ]);
  }
  const text = token('sallyport', 'JTI=last');
  expect((await (await sidecar(second.grpcPort, text)).renewNow()).ok).toBe(true);
  const replayed = await (await sidecar(first.grpcPort, text)).renewNow();
  expect(replayed).toMatchObject({ error: { reason: { code: 'token-used-with-another-key' } } });
  expect(await page(first.statusPort, '/metrics')).toMatch(/reason="token-used-with-another-key".*\} \d/);
  // The pod's owner finds it where he looks.
  await expect.poll(() => kubernetes.sent, PATIENCE).toContain('POST /api/v1/namespaces/shop/events');
  // A new pod costs one write; what was refused none that stays.
  const kept = [...kubernetes.objects.keys()].filter((path) => path.includes('/leases/token-'));
  expect(kept).toHaveLength(6);
});

type Policies = NonNullable<DiscoveryResponse__Output['policies']>;

/** A sidecar's view of the cluster: `told` with its first answer, `ended` with the reason's code when it is over. */
function watchCluster(port: number, agent: WorkloadAgent, bundle: TrustBundle, known?: string) {
  const channel = new RpcChannel({
    target: { host: '127.0.0.1', port },
    tls: () => ({
      crypto: nodeProvider,
      verifier: spiffeVerifier({ bundle: new Watch(bundle), clock: systemClock }),
      credential: agent.credentials.value!.credential,
    }),
    clock: systemClock,
  });
  scope.defer(() => channel.close());
  const call = channel.bidirectional(DISCOVERY.Watch);
  const policies: Policies[] = [];
  call.on('data', (response: DiscoveryResponse__Output) => {
    if (response.policies) policies.push(response.policies);
  });
  const told = new Promise<void>((resolve) => call.once('data', () => resolve()));
  const ended = new Promise<string>((resolve) => {
    call.once('error', (error: Parameters<RpcChannel['failure']>[0]) => {
      const { reason, remoteCode } = channel.failure(error);
      resolve(remoteCode ?? reason.code);
    });
  });
  const seen = { pods: 0, services: 0, endpointslices: 0, nodes: 0 };
  call.write({ start: { seen, ...(known === undefined ? {} : { policies: { version: known } }) } });
  return { told, ended, policies };
}

const DENY = { action: 'Deny', enforcement: 'Shadow', rules: [{ from: [{ peer: 'Any' }] }] };

function putPolicy(namespace: string, name: string, spec: object, generation = 1): void {
  const object = { metadata: { name, namespace, generation }, spec };
  server.put('/apis/mesh.sallyport.dev/v1alpha1/meshpolicies', object);
}

test('attack: a sidecar asks for the policies of others', async () => {
  putPolicy('shop', 'own', DENY);
  putPolicy('pay', 'foreign', DENY);
  putPolicy('shop', 'of-orders', { targetRef: { kind: 'ServiceAccount', name: 'orders' }, ...DENY });
  const controller = await start();
  const agent = await sidecar(controller.grpcPort, token());
  await agent.whenReady(scope.signal);
  // A version is all that it can say, and that of others is none of its own.
  const stream = watchCluster(controller.grpcPort, agent, await bundle(), 'version-of-foreign');
  await expect
    .poll(() => stream.policies, PATIENCE)
    .toMatchObject([{ since: '', changed: [{ key: 'MeshPolicy shop/own' }] }]);
  putPolicy('pay', 'foreign', { ...DENY, enforcement: 'Enforce' }, 2);
  putPolicy('shop', 'own', { ...DENY, enforcement: 'Enforce' }, 2);
  await expect
    .poll(() => stream.policies.at(-1), PATIENCE)
    .toMatchObject({
      since: stream.policies[0]?.version,
      changed: [{ key: 'MeshPolicy shop/own' }],
      removed: [],
    });
  expect(stream.policies).toHaveLength(2);
});

test('attack: a revoked certificate watches the cluster: running streams end, and new ones are refused', async () => {
  const controller = await start();
  const agent = await sidecar(controller.grpcPort, token());
  const { serial } = await agent.whenReady(scope.signal);
  const roots = await bundle();
  const before = watchCluster(controller.grpcPort, agent, roots);
  await before.told;
  kubernetes.put('/api/v1/namespaces/sallyport-system/secrets/sallyport-revocations', {
    metadata: { name: 'sallyport-revocations', namespace: 'sallyport-system' },
    data: {
      'state.json': Buffer.from(
        JSON.stringify({ format: 1, revocations: [{ kind: 'serial', value: serial, at: Date.now() }] }),
      ).toString('base64'),
    },
  });
  expect(await before.ended).toMatch(/^rpc-/);
  expect(await watchCluster(controller.grpcPort, agent, roots).ended).toBe('identity-revoked');
});

test('attack: the certificate of a deleted pod watches the cluster', async () => {
  const controller = await start();
  const agent = await sidecar(controller.grpcPort, token());
  await agent.whenReady(scope.signal);
  const roots = await bundle();
  const before = watchCluster(controller.grpcPort, agent, roots);
  await before.told;
  server.delete('/api/v1/pods', 'shop/web-0');
  expect(await before.ended).toMatch(/^rpc-/);
  // It is waited for, as another replica may have heard of a new pod first.
  expect(await watchCluster(controller.grpcPort, agent, roots).ended).toBe('pod-unknown');
});

test('draining ends the listener, and the controller starts again from its Secret under the same root', async () => {
  const one = scope.child('one');
  const controller = await start('a', one);
  const before = await bundle();
  await controller.drain(1000);
  await one.close();
  await start('b');
  expect((await bundle()).hash).toBe(before.hash);
});

test('a trust bundle that somebody changed, or a new namespace, is put right', async () => {
  await start();
  const { hash } = await bundle();
  kubernetes.put(CONFIG_MAP, {
    metadata: { name: 'sallyport-trust-bundle', namespace: 'shop' },
    data: { 'trust-bundle.pem': 'forged' },
  });
  kubernetes.put('/api/v1/namespaces/late', { metadata: { name: 'late' } });
  const late = '/api/v1/namespaces/late/configmaps/sallyport-trust-bundle';
  await expect.poll(() => kubernetes.objects.has(late), PATIENCE).toBe(true);
  expect((await bundle()).hash).toBe(hash);
});

test('PodCertificateRequests are signed by who is told to, and counted', async () => {
  const path = '/apis/certificates.k8s.io/v1beta1/podcertificaterequests';
  const written = `/apis/certificates.k8s.io/v1beta1/namespaces/shop/podcertificaterequests/request/status`;
  const signerName = 'mesh.sallyport.dev/workload';
  const controller = await start('controller-0', scope, { podCertificates: { signerName } });
  const csr = createCertificateRequest(makeKeys('ec-p256'));
  server.put(path, {
    metadata: { name: 'request', namespace: 'shop' },
    spec: {
      ...{ signerName, podName: 'web-0', podUID: 'uid-web-0', nodeName: 'node-1', nodeUID: 'uid-node' },
      ...{ serviceAccountName: 'web', serviceAccountUID: 'uid-web', maxExpirationSeconds: 86_400 },
      stubPKCS10Request: Buffer.from(csr).toString('base64'),
    },
  });
  const metadata = { name: 'request', resourceVersion: String(server.version) };
  kubernetes.objects.set(written, { metadata });
  await expect
    .poll(() => JSON.stringify(kubernetes.objects.get(written)), PATIENCE)
    .toContain('BEGIN CERTIFICATE');
  await expect
    .poll(() => page(controller.statusPort, '/metrics'), PATIENCE)
    .toMatch(/sallyport_issuance_requests_total\{.*method="pod-certificate".*reason="none".*\} 1/);
});
