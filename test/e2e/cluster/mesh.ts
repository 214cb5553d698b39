import { makeAuthority, type TestAuthority } from '#identity/testing';
import { captureContainer, sallyportContainer } from './manifests.ts';
import { type Manifest, type Namespace, type PodOptions, pod } from './namespace.ts';
import { RESTRICTED } from './security.ts';

const TRUST_DOMAIN = 'cluster.test';
export const FOLDER = '/etc/sallyport';

/** Whom an address stands for: an entry of the sidecar's destinations file. */
export interface DestinationRow {
  readonly service?: string;
  readonly networks: readonly string[];
  readonly ports?: readonly (number | { readonly port: number; readonly targetPort: number })[];
  readonly identities?: readonly string[];
  readonly unmeshed?: true;
}

/** ServiceAccounts of the namespace: who may call whom. */
export interface AllowedCall {
  readonly from: string;
  readonly to: string;
}

export interface MeshFiles {
  readonly allow: readonly AllowedCall[];
  readonly destinations: readonly DestinationRow[];
}

export interface MeshedPodOptions extends PodOptions {
  /** The ServiceAccount; default: the pod's name. */
  readonly account?: string;
  /** The application's own init containers: after the sidecar. */
  readonly afterSidecar?: readonly unknown[];
  /** What the sidecar's container has besides, or in place of what it always has. */
  readonly sidecar?: Readonly<Record<string, unknown>>;
  /** The list of `probes`. */
  readonly probes?: readonly unknown[];
}

/**
 * A mesh from files, as somebody writes it who has no controller: a Secret with a certificate for each ServiceAccount, a
 * ConfigMap with policies and destinations, and the two containers in every pod.
 */
export class FileMesh {
  readonly #namespace: Namespace;
  readonly #authority: TestAuthority = makeAuthority({ trustDomain: TRUST_DOMAIN });

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  identity(account: string): string {
    return `spiffe://${TRUST_DOMAIN}/ns/${this.#namespace.name}/sa/${account}`;
  }

  /** Makes ServiceAccounts, each with a certificate. */
  async accounts(...names: readonly string[]): Promise<void> {
    await this.#namespace.apply(
      ...names.flatMap((name) => {
        const { pem } = this.#authority.makeLeaf({ spiffeId: this.identity(name) });
        const data = { 'tls.crt': pem.chain, 'tls.key': pem.key, 'ca.crt': this.#authority.rootPem };
        return [
          { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
          {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: `${name}-identity` },
            type: 'kubernetes.io/tls',
            stringData: data,
          },
        ];
      }),
    );
  }

  /** Writes what every sidecar reads. */
  async files({ allow, destinations }: MeshFiles): Promise<void> {
    const data = {
      'sidecar.yaml': JSON.stringify(SIDECAR),
      'destinations.yaml': JSON.stringify({ clusterNetworks: CLUSTER_NETWORKS, destinations }),
    };
    await this.#namespace.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mesh' }, data });
    await this.allow(...allow);
  }

  /** Replaces the policies. Sidecars that run see it when the kubelet has mounted it. */
  async allow(...pairs: readonly AllowedCall[]): Promise<void> {
    await this.policies(
      Object.fromEntries(
        pairs.map((each) => [`${each.from}-to-${each.to}.yaml`, allowPolicy(each, this.#namespace.name)]),
      ),
    );
  }

  /** Replaces them by others, each by its file's name. */
  async policies(documents: Readonly<Record<string, unknown>>): Promise<void> {
    const texts = Object.entries(documents).map(([name, document]) => [name, JSON.stringify(document)]);
    await this.#namespace.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'policies' },
      data: Object.fromEntries(texts) as Record<string, string>,
    });
  }

  /** A pod whose traffic the sidecar takes. Its files must be there first. */
  pod(name: string, containers: readonly unknown[], options: MeshedPodOptions = {}): Manifest {
    const { account = name, afterSidecar = [], sidecar, probes, spec, ...more } = options;
    return pod(name, containers, {
      ...more,
      initContainers: [
        captureContainer('capture'),
        { ...sidecarContainer('sidecar', MOUNTS, probes), ...sidecar },
        ...afterSidecar,
      ],
      spec: {
        serviceAccountName: account,
        volumes: [
          { name: 'sallyport', configMap: { name: 'mesh' } },
          { name: 'policies', configMap: { name: 'policies' } },
          { name: 'identity', secret: { secretName: `${account}-identity` } },
        ],
        ...spec,
      },
    });
  }
}

/** A MeshPolicy that lets one account call another, both of the namespace. */
export function allowPolicy({ from, to }: AllowedCall, namespace: string): unknown {
  return {
    apiVersion: 'mesh.sallyport.dev/v1alpha1',
    kind: 'MeshPolicy',
    metadata: { name: `${from}-to-${to}`, namespace },
    spec: {
      targetRef: { kind: 'ServiceAccount', name: to },
      action: 'Allow',
      rules: [{ from: [{ serviceAccounts: [{ name: from, namespace }] }] }],
    },
  };
}

/** Pods, Services and nodes of both providers' clusters are in these: what is not listed there is refused. */
const CLUSTER_NETWORKS = ['10.0.0.0/8', 'fd00::/8'];

const SIDECAR = {
  trustDomain: TRUST_DOMAIN,
  certificate: '/etc/identity/tls.crt',
  key: '/etc/identity/tls.key',
  trustBundle: '/etc/identity/ca.crt',
  policies: ['/etc/policies'],
  destinations: 'destinations.yaml',
};

const MOUNTS = [
  { name: 'sallyport', mountPath: FOLDER, readOnly: true },
  { name: 'policies', mountPath: '/etc/policies', readOnly: true },
  { name: 'identity', mountPath: '/etc/identity', readOnly: true },
];

/** The native sidecar of a pod; its settings are where `FOLDER` is mounted. */
export function sidecarContainer(
  name: string,
  volumeMounts: readonly unknown[],
  probes: readonly unknown[] = [],
): Record<string, unknown> {
  const field = (name: string, fieldPath: string): unknown => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return sallyportContainer(name, ['sidecar', '--config', `${FOLDER}/sidecar.yaml`], {
    restartPolicy: 'Always',
    env: [
      field('SALLYPORT_NAMESPACE', 'metadata.namespace'),
      field('SALLYPORT_SERVICE_ACCOUNT', 'spec.serviceAccountName'),
      field('SALLYPORT_POD', 'metadata.name'),
      { name: 'SALLYPORT_PROBES', value: JSON.stringify(probes) },
    ],
    volumeMounts,
    securityContext: RESTRICTED,
    lifecycle: { preStop: { exec: { command: ['sallyport', 'drain'] } } },
    // Nobody listens on this port: an answer proves that the rules redirect what comes in.
    startupProbe: { httpGet: { path: '/ready', port: 15021 }, periodSeconds: 1, failureThreshold: 180 },
  });
}
