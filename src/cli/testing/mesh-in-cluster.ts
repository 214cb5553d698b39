import manifest from '../../../package.json' with { type: 'json' };
import { CRDS } from '../check/facts.ts';
import type { ClusterServer } from './cluster-server.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const CONTROLLER = 'sallyport-controller';
const SYSTEM = 'sallyport-system';
const HOUR = 3_600;

/** What an installed mesh looks like to an API server, with namespace shop meshed and web and orders in it. */
export function installMesh(
  server: ClusterServer,
  defaults = 'tlsMode: Permissive, unselected: AllowAuthenticated',
): void {
  const { objects, pods } = server;
  objects.set('/version', { major: '1', minor: '36', gitVersion: 'v1.36.3' });
  const labels = { 'app.kubernetes.io/name': 'sallyport', 'app.kubernetes.io/version': manifest.version };
  objects.set(`/apis/apps/v1/namespaces/${SYSTEM}/deployments/${CONTROLLER}`, {
    metadata: { name: CONTROLLER, namespace: SYSTEM, labels },
    spec: { replicas: 1, template: { spec: { containers: [{ image: 'sallyport:test' }] } } },
    status: { readyReplicas: 1 },
  });
  objects.set(`/api/v1/namespaces/${SYSTEM}/configmaps/${CONTROLLER}`, {
    metadata: { name: CONTROLLER, namespace: SYSTEM },
    data: { 'controller.yaml': `trustDomain: shop.example\ninjection: { defaults: { ${defaults} } }\n` },
  });
  objects.set(`/api/v1/namespaces/${SYSTEM}/pods/${CONTROLLER}-1`, {
    metadata: {
      name: `${CONTROLLER}-1`,
      namespace: SYSTEM,
      labels: { 'app.kubernetes.io/name': 'sallyport', 'app.kubernetes.io/component': 'controller' },
    },
    spec: { containers: [{ name: 'controller' }] },
    status: { phase: 'Running' },
  });
  for (const name of CRDS)
    objects.set(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`, {
      status: { conditions: [{ type: 'Established', status: 'True' }] },
    });
  objects.set(`${ADMISSION}/mutatingwebhookconfigurations/sallyport`, {
    metadata: { name: 'sallyport' },
    webhooks: [{ name: 'namespace.inject', failurePolicy: 'Fail', clientConfig: { caBundle: 'eA==' } }],
  });
  objects.set(`${ADMISSION}/validatingadmissionpolicies/sallyport-guard`, {});
  objects.set(`${ADMISSION}/validatingadmissionpolicybindings/sallyport-guard`, {});
  objects.set('/api/v1/namespaces/shop', {
    metadata: { name: 'shop', labels: { 'mesh.sallyport.dev/inject': 'enabled' } },
  });
  objects.set('/api/v1/namespaces/shop/configmaps/sallyport-trust-bundle', {
    metadata: {
      name: 'sallyport-trust-bundle',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'sallyport' },
    },
  });
  pods.set(`${SYSTEM}/${CONTROLLER}-1:15014/metrics`, METRICS);
  for (const name of ['web', 'orders']) addPod(server, name);
}

const METRICS = [
  `sallyport_certificate_seconds_left{service="controller",kind="issuer"} ${700 * HOUR}`,
  `sallyport_certificate_seconds_left{service="controller",kind="root"} ${80_000 * HOUR}`,
  'sallyport_discovery_age_seconds{service="controller"} 3.5',
  'sallyport_discovery_streams{service="controller"} 2',
  '',
].join('\n');

/** A pod `NAME-1` of the workload NAME in namespace shop; what its sidecar says is there as well. */
export function addPod(
  server: ClusterServer,
  name: string,
  more: { readonly ready?: boolean; readonly meshed?: boolean } = {},
): void {
  const { ready = true, meshed = true } = more;
  const pod = `${name}-1`;
  const config = JSON.stringify({ controller: { namespace: SYSTEM } });
  const sidecar = {
    name: 'sallyport',
    args: ['sidecar'],
    env: [{ name: 'SALLYPORT_CONFIG', value: config }],
  };
  server.objects.set(`/api/v1/namespaces/shop/pods/${pod}`, {
    metadata: {
      name: pod,
      namespace: 'shop',
      labels: { app: name },
      annotations: meshed ? { 'mesh.sallyport.dev/injected': manifest.version } : {},
      ownerReferences: [{ kind: 'StatefulSet', name, controller: true }],
    },
    spec: {
      serviceAccountName: name,
      containers: [{ name: 'application', ports: [{ name: 'http', containerPort: 8080 }] }],
      initContainers: meshed ? [sidecar] : [],
    },
    status: {
      phase: 'Running',
      podIPs: [{ ip: name === 'web' ? '10.0.0.1' : '10.0.0.2' }],
      initContainerStatuses: meshed ? [{ name: 'sallyport', ready }] : [],
    },
  });
  const identity = `spiffe://shop.example/ns/shop/sa/${name}`;
  const certificate = {
    serial: `0a${name.length}`,
    notBefore: '2026-11-24T00:00:00.000Z',
    notAfter: '2026-11-24T06:00:00.000Z',
    renewals: 1,
    issuer: { serial: '0b', notAfter: '2026-12-24T00:00:00.000Z' },
  };
  server.pods.set(`shop/${pod}:15000/dump`, JSON.stringify({ identity, certificate }));
}
