import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { freePort } from '#runtime/testing';
import { main } from '../program.ts';
import { ClusterServer } from '../testing/cluster-server.ts';
import { addPod, installMesh } from '../testing/mesh-in-cluster.ts';

let server: ClusterServer;
let out: string;
let said: string;

beforeEach(async () => {
  server = new ClusterServer();
  await server.start();
  vi.stubEnv('KUBECONFIG', server.kubeconfig());
  vi.stubEnv('HOME', '/nonexistent');
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await server.stop();
});

async function run(...args: readonly string[]): Promise<number> {
  [out, said] = ['', ''];
  return main(args, { HOME: '/nonexistent' });
}

interface Findings {
  readonly ok: boolean;
  readonly findings: readonly { check: string; result: string; say: string; next?: string }[];
}

async function findings(...args: readonly string[]): Promise<Findings> {
  await run('check', '--json', ...args);
  return JSON.parse(out) as Findings;
}

async function finding(check: string): Promise<Findings['findings'][number] | undefined> {
  return (await findings()).findings.find((each) => each.check === check && each.result !== 'ok');
}

describe('troubles of everyday life get a sentence that helps', () => {
  test('no kubeconfig', async () => {
    vi.stubEnv('KUBECONFIG', '');
    expect(await run('status', '--cluster')).toBe(2);
    expect(said).toContain('There is no kubeconfig: neither KUBECONFIG nor ~/.kube/config names a cluster.');
  });

  test('a kubeconfig that is not there', async () => {
    vi.stubEnv('KUBECONFIG', '/no/such/file');
    expect(await run('certs', 'shop')).toBe(2);
    expect(said).toContain("The kubeconfig can't be read");
  });

  test('another context than there is', async () => {
    expect(await run('certs', '--context', 'production')).toBe(2);
    expect(said).toBe('The kubeconfig has no context production; name one with --context: test\n');
  });

  test('a cluster that does not run', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    vi.stubEnv('KUBECONFIG', server.kubeconfig(nobody));
    expect(await run('status', '--cluster')).toBe(2);
    expect(said).toContain(`The cluster of context test (${nobody}) does not answer: nobody listens there.`);
    expect((await findings()).findings).toMatchObject([{ check: 'api-server', result: 'failed' }]);
  });

  test('credentials that have ended', async () => {
    server.refusals.set('*', { status: 401, body: { message: 'Unauthorized' } });
    expect(await run('status', '--cluster')).toBe(2);
    expect(said).toContain('does not know you: your credentials have ended');
  });

  test('no permission', async () => {
    installMesh(server);
    server.refusals.set('/api/v1/pods', { status: 403, body: { message: 'pods is forbidden: User "eve"' } });
    expect(await run('injected')).toBe(2);
    expect(said).toContain('does not let you: HTTP 403: pods is forbidden: User "eve"');
    expect(await finding('sidecars')).toMatchObject({
      result: 'failed',
      say: expect.stringContaining('forbidden'),
    });
  });

  test('no permission to reach pods', async () => {
    installMesh(server);
    server.refusals.set('portforward', { status: 403, body: {} });
    expect(await run('certs', 'shop')).toBe(2);
    expect(said).toContain('does not let you: create of pods/portforward');
  });

  test('not installed, or installed elsewhere', async () => {
    server.objects.set('/version', { major: '1', minor: '36', gitVersion: 'v1.36.3' });
    expect(await run('status', '--cluster')).toBe(2);
    expect(said).toContain('Sallyport is not installed in the cluster of context test. Install it');
    expect((await findings()).ok).toBe(false);
    installMesh(server);
    expect(await run('status', '--cluster', '-n', 'mesh')).toBe(2);
    expect(said).toContain('not in namespace mesh but in sallyport-system: say -n sallyport-system');
  });

  test('two meshes that want the same pods', async () => {
    installMesh(server);
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/blue';
    const labels = { 'app.kubernetes.io/name': 'sallyport', 'app.kubernetes.io/instance': 'blue' };
    server.objects.set(path, { metadata: { name: 'blue', labels }, webhooks: [] });
    expect(await finding('one-mesh')).toMatchObject({
      result: 'failed',
      say: expect.stringContaining('MutatingWebhookConfiguration blue'),
    });
    expect(await run('install', '--trust-domain', 'shop.example')).toBe(2);
    expect(said).toContain('A cluster has one mesh');
    expect(server.changes).toEqual([]);
  });

  test('another version', async () => {
    installMesh(server);
    const path = '/apis/apps/v1/namespaces/sallyport-system/deployments/sallyport-controller';
    const before = server.objects.get(path) as { metadata: { labels: Record<string, string> } };
    const labels = { ...before.metadata.labels, 'app.kubernetes.io/version': '9.9.9' };
    server.objects.set(path, { ...before, metadata: { ...before.metadata, labels } });
    expect(await finding('version')).toMatchObject({
      result: 'warning',
      say: expect.stringContaining('9.9.9'),
    });
    const config = '/api/v1/namespaces/sallyport-system/configmaps/sallyport-controller';
    server.objects.set(config, { data: { 'controller.yaml': 'tomorrow: true\n' } });
    expect(await run('status', '--cluster')).toBe(2);
    expect(said).toContain("The controller's file is not as this version");
  });

  test('a mesh of this machine and one of a cluster named at once', async () => {
    expect(await run('certs', '-f', 'mesh.yaml', 'shop/web')).toBe(2);
    expect(said).toContain('Say one of both.');
  });

  test('a pod that is not there, one without a sidecar, and words that name none', async () => {
    installMesh(server);
    addPod(server, 'batch', { meshed: false });
    expect(await run('certs', 'shop/nobody')).toBe(2);
    expect(said).toContain('There is no sidecar at shop/nobody');
    expect(await run('certs', 'shop/batch-1')).toBe(2);
    expect(said).toContain('Pod shop/batch-1 has no sidecar of this mesh');
    expect(await run('certs', 'shop/../../x')).toBe(2);
    expect(said).toContain('write NAMESPACE or NAMESPACE/NAME');
  });
});

describe('check', () => {
  test('of a fresh mesh fails nothing and warns of its defaults', async () => {
    installMesh(server);
    const { ok, findings: all } = await findings();
    expect(all.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(ok).toBe(true);
    expect(all.flatMap(({ check, result }) => (result === 'warning' ? [check] : []))).toEqual([
      'policy-default',
      'tls-default',
    ]);
    expect(await run('check')).toBe(0);
    expect(out).toContain('may be called by any identity of the mesh');
  });

  test('of a closed one warns of nothing', async () => {
    installMesh(server, 'tlsMode: Strict, unselected: Deny');
    expect((await findings()).findings.filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  test.each([
    ['webhook', 'failed', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sallyport'],
    ['guard', 'warning', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/sallyport-guard'],
    [
      'crds',
      'warning',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/meshtlses.mesh.sallyport.dev',
    ],
    ['trust', 'warning', '/api/v1/namespaces/shop/configmaps/sallyport-trust-bundle'],
    ['namespaces', 'warning', '/api/v1/namespaces/shop'],
    ['authority', 'failed', '/api/v1/namespaces/sallyport-system/pods/sallyport-controller-1'],
  ])('%s: %s when it is gone', async (check, result, path) => {
    installMesh(server);
    server.objects.delete(path);
    expect(await finding(check)).toMatchObject({ result, next: expect.stringMatching(/./) });
  });

  test('names sidecars that are not ready, pods without one, and namespaces that can take none', async () => {
    installMesh(server);
    addPod(server, 'slow', { ready: false });
    addPod(server, 'older', { meshed: false });
    const labels = {
      'mesh.sallyport.dev/inject': 'enabled',
      'pod-security.kubernetes.io/enforce': 'restricted',
    };
    server.objects.set('/api/v1/namespaces/shop', { metadata: { name: 'shop', labels } });
    expect(await finding('sidecars')).toMatchObject({
      result: 'failed',
      say: expect.stringContaining('shop/slow-1'),
    });
    expect(await finding('pods')).toMatchObject({
      result: 'warning',
      say: expect.stringContaining('shop/older-1'),
    });
    expect(await finding('namespaces')).toMatchObject({
      result: 'failed',
      say: expect.stringContaining('Pod Security'),
    });
    expect(await run('check')).toBe(1);
  });

  test('knows a policy that the controller has not accepted', async () => {
    installMesh(server);
    addPolicy('orders', ['web'], [{ type: 'Accepted', status: 'False', message: 'rules[0]: too many' }]);
    expect(await finding('policies')).toMatchObject({
      say: expect.stringContaining('shop/orders (rules[0]: too many)'),
    });
  });

  test('--pre says what keeps a mesh from being installed', async () => {
    server.objects.set('/version', { major: '1', minor: '31', gitVersion: 'v1.31.0' });
    server.objects.set('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-injector', {
      metadata: { name: 'istio-injector' },
    });
    const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    server.refusals.set(review, { status: 201, body: { status: { allowed: false } } });
    expect((await findings('--pre')).findings.filter(({ result }) => result !== 'ok')).toMatchObject([
      { check: 'api-server', result: 'failed' },
      { check: 'permission', result: 'failed', say: expect.stringContaining('customresourcedefinitions') },
      { check: 'other-meshes', result: 'warning', say: expect.stringContaining('Istio') },
    ]);
  });
});

function addPolicy(account: string, callers: readonly string[], conditions: readonly object[] = []): void {
  server.objects.set(`/apis/mesh.sallyport.dev/v1alpha1/namespaces/shop/meshpolicies/${account}`, {
    metadata: { name: account, namespace: 'shop', uid: 'x' },
    spec: {
      targetRef: { group: '', kind: 'ServiceAccount', name: account },
      action: 'Allow',
      rules: [{ from: [{ serviceAccounts: callers.map((name) => ({ name, namespace: 'shop' })) }] }],
    },
    status: { conditions },
  });
}

describe('certs, handshakes and status', () => {
  test('certs shows what each sidecar holds, and says which one is silent', async () => {
    installMesh(server);
    expect(await run('certs', 'shop', '--json')).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { service: 'shop/web-1', identity: 'spiffe://shop.example/ns/shop/sa/web', renewals: 1 },
      { service: 'shop/orders-1', notAfter: Date.parse('2026-11-24T06:00:00Z') },
    ]);
    server.pods.delete('shop/web-1:15000/dump');
    expect(await run('certs', '--cluster')).toBe(1);
    expect(said).toContain('shop/web-1 says nothing: port 15000 of pod shop/web-1: connection refused');
    expect(out).toContain('shop/orders-1');
  });

  test('handshakes merges those of all sidecars by time', async () => {
    installMesh(server);
    const record = (startTime: number) => ({ startTime, result: 'ok', role: 'client', service: 'x' });
    server.pods.set('shop/web-1:15000/handshakes', JSON.stringify({ handshakes: [record(2)] }));
    server.pods.set('shop/orders-1:15000/handshakes', JSON.stringify({ handshakes: [record(1), record(3)] }));
    expect(await run('handshakes', 'shop', '--json')).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { startTime: 1, service: 'shop/orders-1' },
      { startTime: 2, service: 'shop/web-1' },
      { startTime: 3, service: 'shop/orders-1' },
    ]);
    expect(await run('handshakes', 'shop', '--live')).toBe(2);
  });

  test('status, without a mesh on this machine, says which cluster it shows', async () => {
    installMesh(server);
    addPolicy('orders', ['web'], [{ type: 'Accepted', status: 'True' }]);
    expect(await run('status')).toBe(0);
    expect(said).toContain('this is the cluster of context test');
    expect(out).toContain('sallyport-system/sallyport-controller');
    expect(out).toMatch(/shop +2 +2/);
    expect(out).toMatch(/MeshPolicy +shop\/orders +True/);
  });
});

test('status says what sidecars saw: whom a Shadow would refuse, who speaks plaintext, what may be Strict', async () => {
  installMesh(server);
  const api = '/apis/mesh.sallyport.dev/v1alpha1/namespaces/shop';
  const metadata = { name: 'shop', namespace: 'shop' };
  const callers = [
    { caller: 'spiffe://shop.example/ns/shop/sa/web' },
    { caller: 'spiffe://shop.example/ns/shop/sa/web' },
  ];
  server.objects.set(`${api}/meshpolicies/shop`, {
    metadata,
    spec: {},
    status: { wouldDeny: { total: 7, callers } },
  });
  const peers = [{ address: '10.0.0.9', name: 'old.shop' }, { address: '10.0.0.8' }];
  const status = { plaintextPeers: { total: 3, peers }, readyForStrict: false };
  server.objects.set(`${api}/meshtlses/shop`, { metadata, spec: {}, status });
  expect(await run('status', '--cluster')).toBe(0);
  expect(out).toContain('would deny 7 (spiffe://shop.example/ns/shop/sa/web)');
  expect(out).toMatch(/MeshTLS .*plaintext 3 \(old\.shop, 10\.0\.0\.8\)/);
  expect(out).not.toContain('ready for Strict');
  server.objects.set(`${api}/meshtlses/shop`, { metadata, spec: {}, status: { readyForStrict: true } });
  await run('status', '--cluster');
  expect(out).toContain('ready for Strict');
});

describe('can-i and explain', () => {
  test('answer as the sidecar would: by default, by an Allow, and for a caller without an identity', async () => {
    installMesh(server);
    expect(await run('can-i', 'shop/web', 'shop/orders')).toBe(0);
    expect(out).toMatch(/^yes: spiffe:\/\/shop\.example\/ns\/shop\/sa\/web may call shop\/orders-1:8080/);
    addPolicy('orders', ['billing']);
    expect(await run('can-i', 'shop/web', 'shop/orders:8080')).toBe(1);
    expect(out).toContain('(no-policy-allows)');
    expect(await run('can-i', 'spiffe://shop.example/ns/shop/sa/billing', 'shop/orders')).toBe(0);
    expect(await run('can-i', 'plaintext', 'shop/orders')).toBe(1);
    expect(await run('policy', 'explain', 'shop/web', 'shop/orders')).toBe(1);
    expect(out).toContain('TLS: Permissive by default.');
    expect(out).toContain('MeshPolicy shop/orders');
    expect(await run('can-i', 'shop/web', 'shop/orders', '--json')).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      allowed: false,
      reason: 'no-policy-allows',
      tls: { mode: 'Permissive' },
    });
  });

  test("a Service's port is that of its pods, and a pod without a sidecar enforces nothing", async () => {
    installMesh(server);
    server.objects.set('/api/v1/namespaces/shop/services/front', {
      spec: { selector: { app: 'orders' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    expect(await run('can-i', 'shop/web', 'shop/front:80')).toBe(0);
    expect(out).toContain('may call shop/orders-1:8080');
    addPod(server, 'batch', { meshed: false });
    expect(await run('can-i', 'shop/web', 'shop/batch')).toBe(0);
    expect(out).toContain('has no sidecar of this mesh: nobody enforces this there');
    expect(await run('can-i', 'shop/web', 'shop/nothing')).toBe(2);
  });

  test('validate --cluster counts what the cluster has taken', async () => {
    installMesh(server);
    addPolicy('orders', ['web']);
    expect(await run('policy', 'validate', '--cluster')).toBe(0);
    expect(out).toContain('test: 1 object, 0 errors, 0 warnings');
  });
});

describe('install and uninstall', () => {
  test('--print writes manifests with what was chosen', async () => {
    const choices = [
      '--image',
      'registry/sallyport:1',
      '--policy-default',
      'Deny',
      '--trust-domain',
      'shop.example',
    ];
    expect(await run('install', '--print', ...choices)).toBe(0);
    const objects = parseAllDocuments(out).map((document) => document.toJS() as Record<string, never>);
    expect(objects.map(({ kind }) => kind)).toContain('CustomResourceDefinition');
    expect(out).toContain('trustDomain: shop.example');
    expect(out).toContain('unselected: Deny');
    expect(out.match(/registry\/sallyport:1/g)).toHaveLength(2);
    expect(await run('install', '--print', '-n', 'elsewhere')).toBe(2);
  });

  test('leaves to Helm what Helm installed, and a trust domain as it is', async () => {
    installMesh(server);
    expect(await run('install')).toBe(2);
    expect(said).toContain("has the trust domain shop.example, which can't be changed");
    const path = '/apis/apps/v1/namespaces/sallyport-system/deployments/sallyport-controller';
    const before = server.objects.get(path) as { metadata: object };
    const annotations = { 'meta.helm.sh/release-name': 'blue' };
    server.objects.set(path, { ...before, metadata: { ...before.metadata, annotations } });
    for (const command of ['install', 'uninstall']) {
      expect(await run(command)).toBe(2);
      expect(said).toContain('Helm installed this mesh');
    }
    expect(server.changes).toEqual([]);
  });

  test('refuses a Deployment of the same name that is not ours, before anything is changed', async () => {
    installMesh(server);
    const path = '/apis/apps/v1/namespaces/sallyport-system/deployments/sallyport-controller';
    server.objects.set(path, { spec: { selector: { matchLabels: { app: 'other', tier: 'a' } } } });
    expect(await run('install', '--trust-domain', 'shop.example')).toBe(2);
    expect(said).toContain(
      "sallyport-system/sallyport-controller is somebody else's: it selects app=other,tier=a.",
    );
    expect(said).toContain('kubectl delete deployment sallyport-controller -n sallyport-system');
    expect(server.changes).toEqual([]);
  });

  test('uninstall touches nothing while pods depend on it; by force it asks for the controller last', async () => {
    installMesh(server);
    expect(await run('uninstall')).toBe(1);
    expect(out).toContain('shop/web-1');
    expect(server.changes).toEqual([]);
    expect(await run('uninstall', '--force')).toBe(0);
    const deleted = server.changes.map((change) => change.split('/').at(-2));
    expect(deleted.indexOf('mutatingwebhookconfigurations')).toBeLessThan(deleted.indexOf('deployments'));
    expect(deleted.at(-1)).toBe('namespaces');
    expect(out).toContain('its policies stay');
  });
});
