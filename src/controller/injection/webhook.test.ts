import { request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { Scope, silentLog, systemClock } from '#runtime';
import { Telemetry } from '#telemetry';
import { Controller } from '../controller.ts';
import { apiObjects } from '../discovery/index.ts';
import { cidr } from '../testing/cidr.ts';
import { FakeKubernetes, TestApiServer } from '../testing/index.ts';
import { SETTINGS } from './testing/sample.ts';

const NAME = 'sallyport-webhook.sallyport-system.svc';
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sallyport';
const OWNER = '/apis/rbac.authorization.k8s.io/v1/clusterroles/sallyport-installation';
const MAP = '/api/v1/namespaces/late/configmaps/sallyport-trust-bundle';
const PATIENCE = { timeout: 15_000 };

let scope: Scope;
let kubernetes: FakeKubernetes;
let server: TestApiServer;
let controller: Controller;
const failures: unknown[] = [];

beforeEach(async () => {
  scope = new Scope('test', (error) => failures.push(error));
  kubernetes = new FakeKubernetes();
  server = new TestApiServer(systemClock);
  await server.start();
  kubernetes.put(OWNER, { metadata: { name: 'sallyport-installation', uid: 'owner-uid' } });
  kubernetes.put(CONFIGURATION, {
    metadata: { name: 'sallyport' },
    webhooks: [
      { name: 'namespace.inject.mesh.sallyport.dev', clientConfig: { service: { name: 'x' } } },
      { name: 'pod.inject.mesh.sallyport.dev', clientConfig: { caBundle: 'b2xk' } },
    ],
  });
  const telemetry = Telemetry.create({ clock: systemClock, log: silentLog, environment: {} });
  scope.defer(() => telemetry.shutdown());
  controller = await Controller.start(
    scope,
    {
      trustDomain: 'mesh.test',
      namespace: 'sallyport-system',
      serviceAccount: 'sallyport-controller',
      pod: 'controller-0',
      audience: 'sallyport',
      host: '127.0.0.1',
      ports: { grpc: 0, status: 0 },
      leafLifetimeMilliseconds: 6 * 3_600_000,
      intermediateLifetimeMilliseconds: 720 * 3_600_000,
      clusterNetworks: [cidr('10.0.0.0/8')],
      names: {
        stateSecret: 'sallyport-ca',
        revocationsSecret: 'sallyport-revocations',
        lease: 'sallyport-controller',
        trustBundle: 'sallyport-trust-bundle',
        sidecar: 'sallyport',
        owner: 'sallyport-installation',
      },
      injection: { settings: SETTINGS, configuration: 'sallyport', service: 'sallyport-webhook', port: 0 },
    },
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
});
afterEach(async () => {
  await scope.close();
  await server.stop();
  expect(failures.splice(0)).toEqual([]);
});

function bundles(): readonly string[] {
  const { webhooks } = kubernetes.objects.get(CONFIGURATION) as unknown as {
    webhooks: readonly { clientConfig: { caBundle?: string } }[];
  };
  return webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? '');
}

async function caBundle(): Promise<string> {
  await expect.poll(() => new Set(bundles()).size, PATIENCE).toBe(1);
  return Buffer.from(bundles()[0] ?? '', 'base64').toString();
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** As the API server calls: it believes the caBundle, and the name of the Service. */
async function post(body: string, method = 'POST', path = '/inject?timeout=10s'): Promise<Answer> {
  const ca = await caBundle();
  return new Promise((resolve, reject) => {
    const port = controller.webhookPort;
    const options = { host: '127.0.0.1', port, servername: NAME, ca, path, method, agent: false };
    const asked = httpsRequest(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject).end(body);
  });
}

function reviewOf(spec: object, more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'the-uid',
      operation: 'CREATE',
      namespace: 'late',
      resource: { group: '', version: 'v1', resource: 'pods' },
      object: { metadata: { generateName: 'web-' }, spec },
      ...more,
    },
  });
}

const CONTAINERS = { containers: [{ name: 'web', image: 'web:1' }] };

test('a pod is injected once its namespace has the roots, and all that was made belongs to the installation', async () => {
  const answer = JSON.parse((await post(reviewOf(CONTAINERS))).text) as { response: { patch: string } };
  expect(answer).toMatchObject({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'the-uid', allowed: true, patchType: 'JSONPatch' },
  });
  const patch = JSON.parse(Buffer.from(answer.response.patch, 'base64').toString()) as object[];
  expect(patch).toContainEqual(expect.objectContaining({ op: 'add', path: '/spec/initContainers' }));
  const ownerReferences = [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      name: 'sallyport-installation',
      uid: 'owner-uid',
    },
  ];
  const made = [
    MAP,
    '/api/v1/namespaces/sallyport-system/secrets/sallyport-ca',
    '/apis/coordination.k8s.io/v1/namespaces/sallyport-system/leases/sallyport-controller',
  ];
  await expect.poll(() => made.filter((path) => !kubernetes.objects.has(path)), PATIENCE).toEqual([]);
  for (const path of made) expect(kubernetes.objects.get(path)?.metadata).toMatchObject({ ownerReferences });
});

test('a pod that is refused: 403, the reason, and what to do', async () => {
  const { text } = await post(reviewOf({ ...CONTAINERS, hostNetwork: true, hostPID: true }));
  const { response } = JSON.parse(text) as { response: { status: { message: string } } };
  expect(response).toMatchObject({ uid: 'the-uid', allowed: false, status: { code: 403 } });
  expect(response.status.message).toContain('(pod-on-host-network: spec.hostNetwork: true)');
  expect(response.status.message).toContain('(pod-in-host-processes: spec.hostPID: true)');
  expect(kubernetes.objects.has(MAP)).toBe(false);
});

test('a pod that wants to stay as it is, does', async () => {
  const labels = { 'mesh.sallyport.dev/inject': 'disabled' };
  const object = { metadata: { labels }, spec: { ...CONTAINERS, hostNetwork: true } };
  const { response } = JSON.parse((await post(reviewOf({}, { object }))).text) as { response: object };
  expect(response).toEqual({ uid: 'the-uid', allowed: true });
});

test('what becomes of pods is counted, but not in dry runs', async () => {
  const labels = { 'mesh.sallyport.dev/inject': 'disabled' };
  await post(reviewOf(CONTAINERS));
  await post(reviewOf(CONTAINERS, { dryRun: true }));
  await post(reviewOf({}, { object: { metadata: { labels }, spec: CONTAINERS } }));
  await post(reviewOf({ ...CONTAINERS, hostNetwork: true, hostPID: true }));
  const text = await (await fetch(`http://127.0.0.1:${controller.statusPort}/metrics`)).text();
  const counted = text.split('\n').filter((line) => line.startsWith('sallyport_injection_pods_total'));
  expect(counted.toSorted()).toEqual([
    'sallyport_injection_pods_total{service="controller",result="injected",reason="none"} 1',
    'sallyport_injection_pods_total{service="controller",result="left",reason="none"} 1',
    'sallyport_injection_pods_total{service="controller",result="refused",reason="pod-in-host-processes"} 1',
    'sallyport_injection_pods_total{service="controller",result="refused",reason="pod-on-host-network"} 1',
  ]);
});

test('a dry run makes nothing', async () => {
  const { text } = await post(reviewOf(CONTAINERS, { dryRun: true }));
  expect(JSON.parse(text)).toMatchObject({ response: { allowed: true } });
  expect(kubernetes.objects.has(MAP)).toBe(false);
});

test('without the roots in its namespace no pod is admitted', async () => {
  await caBundle();
  kubernetes.down = true;
  const { text } = await post(reviewOf(CONTAINERS));
  kubernetes.down = false;
  expect(JSON.parse(text)).toMatchObject({ response: { allowed: false, status: { code: 503 } } });
});

test('what the API server would not send is answered without harm', async () => {
  expect((await post('{}', 'GET')).status).toBe(405);
  expect((await post('{}', 'POST', '/other')).status).toBe(404);
  expect((await post('{')).status).toBe(400);
  expect((await post('null')).status).toBe(400);
  expect((await post(reviewOf(CONTAINERS, { operation: 'UPDATE' }))).status).toBe(400);
  expect((await post(reviewOf(CONTAINERS, { namespace: '../secrets' }))).status).toBe(400);
  expect((await post(' '.repeat(5 * 1024 * 1024))).status).toBe(413);
  expect(JSON.parse((await post(reviewOf(null as never))).text)).toMatchObject({
    response: { allowed: false },
  });
});

test('one address gets no more than its share of connections, and silent ones end', async () => {
  const ca = await caBundle();
  const port = controller.webhookPort ?? 0;
  const ended = Array.from({ length: 40 }, () => {
    const socket = connect({ host: '127.0.0.1', port, servername: NAME, ca });
    socket.on('error', () => undefined).resume();
    return new Promise<void>((resolve) => socket.once('close', () => resolve()));
  });
  await Promise.all(ended);
  expect((await post(reviewOf(CONTAINERS))).status).toBe(200);
}, 120_000);

test('a review that is made to be long is answered shortly', async () => {
  const annotations = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, index) => [`mesh.sallyport.dev/x${index}`, '']),
  );
  const deep = JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`) as unknown;
  const many = { metadata: { annotations }, spec: { ...CONTAINERS, deep } };
  const { text } = await post(reviewOf({}, { object: many }));
  expect(JSON.parse(text)).toMatchObject({ response: { allowed: false } });
  expect(text.length).toBeLessThan(20_000);
  const kept = { metadata: {}, spec: { ...CONTAINERS, deep } };
  expect((await post(reviewOf({}, { object: kept }))).text).toContain('"allowed":true');
});

test('a client that speaks no TLS, or believes others, does not keep it from answering', async () => {
  const port = controller.webhookPort ?? 0;
  const refused = new Promise<Error>((resolve) => {
    connect({ host: '127.0.0.1', port, servername: NAME }).once('error', resolve);
  });
  expect((await refused).message).toMatch(/self-signed|unable to/);
  const plain = await fetch(`http://127.0.0.1:${port}/inject`).catch((error: Error) => error);
  expect(plain).toBeInstanceOf(Error);
  expect((await post(reviewOf(CONTAINERS))).status).toBe(200);
});
