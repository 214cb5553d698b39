import { IMAGES } from './images.ts';
import { RESTRICTED } from './security.ts';

/** Nothing has a name that an installation would give it: it stays in the cluster while other stories install theirs. */
export const CONTROLLER = {
  namespace: 'by-hand-system',
  name: 'by-hand-controller',
  trustDomain: 'cluster.test',
  audience: 'sallyport',
  trustBundle: 'by-hand-trust-bundle',
  stateSecret: 'by-hand-ca',
  revocationsSecret: 'by-hand-revocations',
} as const;

export interface ControllerOptions {
  readonly replicas: number;
  readonly leafLifetime: string;
  readonly intermediateLifetime: string;
}

/** The controller as somebody writes it by hand: no more rights than it uses. */
export function controllerManifests({ replicas, ...lifetimes }: ControllerOptions): readonly object[] {
  const { namespace, name, trustDomain, trustBundle, stateSecret, revocationsSecret } = CONTROLLER;
  const names = { lease: name, trustBundle, stateSecret, revocationsSecret };
  const settings = { trustDomain, names, ...lifetimes, clusterNetworks: ['10.0.0.0/8', 'fd00::/8'] };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    ...clusterRights(),
    ...ownRights(),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { 'controller.yaml': JSON.stringify(settings) },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [{ port: 15_010 }], ipFamilyPolicy: 'RequireDualStack' },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: podSpec() },
      },
    },
  ];
}

function podSpec(): object {
  const { name } = CONTROLLER;
  const field = (variable: string, fieldPath: string): object => ({
    name: variable,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return {
    serviceAccountName: name,
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'controller',
        image: IMAGES.sallyport,
        imagePullPolicy: 'Never',
        args: ['controller', '-c', '/etc/sallyport/controller.yaml'],
        env: [
          field('SALLYPORT_NAMESPACE', 'metadata.namespace'),
          field('SALLYPORT_SERVICE_ACCOUNT', 'spec.serviceAccountName'),
          field('SALLYPORT_POD', 'metadata.name'),
        ],
        volumeMounts: [{ name: 'settings', mountPath: '/etc/sallyport', readOnly: true }],
        readinessProbe: { httpGet: { path: '/ready', port: 15_014 }, periodSeconds: 1 },
        securityContext: RESTRICTED,
      },
    ],
    volumes: [{ name: 'settings', configMap: { name } }],
  };
}

/** What it looks at, and the ConfigMap with the roots in every namespace. */
function clusterRights(): readonly object[] {
  const { namespace, name } = CONTROLLER;
  const watched = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['pods', 'services', 'nodes', 'namespaces'], verbs: watched },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: watched },
    { apiGroups: ['networking.k8s.io'], resources: ['servicecidrs'], verbs: watched },
    { apiGroups: ['mesh.sallyport.dev'], resources: ['meshpolicies', 'meshtlses'], verbs: watched },
    {
      apiGroups: ['mesh.sallyport.dev'],
      resources: ['meshpolicies/status', 'meshtlses/status'],
      verbs: ['get', 'update'],
    },
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    // Those who make an object can't be held to a name.
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'list'] },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: [CONTROLLER.trustBundle],
      verbs: ['get', 'update'],
    },
  ];
  return [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules },
    binding('ClusterRole', { name }, [{ kind: 'ServiceAccount', name, namespace }]),
  ];
}

/** The CA's state and who leads, in its own namespace. */
function ownRights(): readonly object[] {
  const { namespace, name, stateSecret, revocationsSecret } = CONTROLLER;
  const used = ['get', 'update'];
  const rules = [
    { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: [stateSecret, revocationsSecret], verbs: used },
    // The controller's own, and one for each token that was shown.
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['create', ...used, 'deletecollection'],
    },
  ];
  return [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace }, rules },
    binding('Role', { name, namespace }, [{ kind: 'ServiceAccount', name, namespace }]),
  ];
}

function binding(kind: 'ClusterRole' | 'Role', metadata: object, subjects: readonly object[]): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: CONTROLLER.name },
    subjects,
  };
}
