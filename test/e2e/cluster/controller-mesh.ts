import { applyShared } from './apply-shared.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { CONTROLLER, type ControllerOptions, controllerManifests } from './controller-manifests.ts';
import { captureContainer } from './manifests.ts';
import { type AllowedCall, allowPolicy, FOLDER, type MeshedPodOptions, sidecarContainer } from './mesh.ts';
import { type Manifest, type Namespace, pod } from './namespace.ts';
import { signal } from './processes.ts';

/** The shortest that there are: what happens in a day happens in minutes. */
export const SHORT_LIVES: ControllerOptions = { replicas: 2, leafLifetime: '2m', intermediateLifetime: '6m' };
const READY_SECONDS = 240;

/** One line of a sidecar's or the controller's log. */
export type Line = Readonly<Record<string, unknown>> & { readonly message: string; readonly time: string };

/**
 * A mesh whose pods know nothing of each other: certificates and addresses come from the controller, of which there is
 * one in the cluster for all stories.
 */
export class ControllerMesh {
  readonly #namespace: Namespace;
  readonly #cluster: Cluster;

  private constructor(namespace: Namespace, cluster: Cluster) {
    this.#namespace = namespace;
    this.#cluster = cluster;
  }

  /**
   * Puts the controller there, if no other story has, and what pods of the namespace need. Other `lives` than those of the
   * other stories are for a story in a cluster of its own.
   */
  static async install(
    cluster: Cluster,
    namespace: Namespace,
    accounts: readonly string[],
    allow: readonly AllowedCall[],
    lives: ControllerOptions = SHORT_LIVES,
  ): Promise<ControllerMesh> {
    const mesh = new ControllerMesh(namespace, cluster);
    const items = controllerManifests(lives);
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await applyShared(cluster, list);
    await mesh.controllerReady();
    await eventually(() => namespace.kubectl(['get', 'configmap', CONTROLLER.trustBundle]), 120_000);
    await namespace.apply(
      ...accounts.map((name) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } })),
      configMap('mesh', { 'sidecar.yaml': JSON.stringify(SIDECAR) }),
      configMap(
        'policies',
        Object.fromEntries(
          allow.map((each) => [
            `${each.from}-to-${each.to}.yaml`,
            JSON.stringify(allowPolicy(each, namespace.name)),
          ]),
        ),
      ),
    );
    return mesh;
  }

  identity(account: string): string {
    return `spiffe://${CONTROLLER.trustDomain}/ns/${this.#namespace.name}/sa/${account}`;
  }

  /** A pod with a sidecar by hand. */
  pod(name: string, containers: readonly unknown[], options: MeshedPodOptions = {}): Manifest {
    const { account = name, afterSidecar = [], sidecar, probes, spec, ...more } = options;
    return pod(name, containers, {
      ...more,
      initContainers: [
        captureContainer('capture'),
        { ...sidecarContainer('sallyport', MOUNTS, probes), ...sidecar },
        ...afterSidecar,
      ],
      spec: { serviceAccountName: account, volumes: VOLUMES, ...spec },
    });
  }

  async controllerReady(): Promise<void> {
    await this.controller(['rollout', 'status', DEPLOYMENT, `--timeout=${READY_SECONDS}s`], READY_SECONDS);
  }

  /** So many controllers; resolves when there are. */
  async scaleController(replicas: number): Promise<void> {
    await this.controller(['scale', DEPLOYMENT, `--replicas=${replicas}`]);
    if (replicas > 0) return this.controllerReady();
    await this.controller(
      ['wait', '--for=delete', 'pod', `--selector=app=${CONTROLLER.name}`, '--timeout=120s'],
      120,
    );
  }

  /** The pod that holds the Lease. */
  async leader(): Promise<string> {
    const holder = ['get', 'lease', CONTROLLER.name, '--output', 'jsonpath={.spec.holderIdentity}'];
    return this.controller(holder);
  }

  /** Stops every controller where it stands, with its connections open; resolves with what lets them go on. */
  async pauseControllers(): Promise<() => Promise<void>> {
    const { namespace, name } = CONTROLLER;
    const field = '{range .items[*]}{.spec.nodeName} {.metadata.name}{"\\n"}{end}';
    const text = await this.controller([
      'get',
      'pods',
      `--selector=app=${name}`,
      '--output',
      `jsonpath=${field}`,
    ]);
    const places = text.split('\n').flatMap((line) => {
      const [node, pod] = line.split(' ');
      return node && pod ? [{ node, namespace, pod }] : [];
    });
    const tell = (what: 'STOP' | 'CONT'): Promise<unknown> =>
      Promise.all(places.map((place) => signal(this.#cluster, what, place)));
    await tell('STOP');
    return async () => void (await tell('CONT'));
  }

  /** Of every controller. */
  async replicaAddresses(): Promise<readonly string[]> {
    const selector = `--selector=app=${CONTROLLER.name}`;
    const field = 'jsonpath={.items[*].status.podIP}';
    return (await this.controller(['get', 'pods', selector, '--output', field])).split(' ');
  }

  controller(args: readonly string[], seconds = 30): Promise<string> {
    return this.#cluster.kubectl(['--namespace', CONTROLLER.namespace, ...args], {
      timeoutMilliseconds: (seconds + 30) * 1000,
    });
  }

  /** What a pod's sidecar has said, line by line. */
  async lines(podName: string): Promise<readonly Line[]> {
    const text = await this.#namespace.kubectl(['logs', podName, '--container', 'sallyport']);
    return linesOf(text);
  }

  async controllerLines(): Promise<readonly Line[]> {
    const selector = `--selector=app=${CONTROLLER.name}`;
    return linesOf(await this.controller(['logs', selector, '--tail=-1', '--prefix=false']));
  }

  /** The metrics of all controllers, one after the other. */
  async controllerMetrics(): Promise<string> {
    const names = [
      'get',
      'pods',
      `--selector=app=${CONTROLLER.name}`,
      '--output',
      'jsonpath={.items[*].metadata.name}',
    ];
    const ask =
      "fetch('http://127.0.0.1:15014/metrics').then(async (answer) => console.log(await answer.text()))";
    const pods = (await this.controller(names)).split(' ').filter(Boolean);
    const pages = await Promise.all(
      pods.map((name) => this.controller(['exec', name, '--', 'node', '-e', ask])),
    );
    return pages.join('\n');
  }

  /** Serial numbers of the certificates that a pod has had, oldest first. */
  async serials(podName: string): Promise<readonly string[]> {
    const lines = await this.lines(podName);
    return lines
      .filter(({ message }) => message === 'a new certificate is in use')
      .map(({ serial }) => String(serial));
  }

  /** What the sidecar's /dump says. */
  async dump(
    podName: string,
  ): Promise<{ readonly certificate: { readonly issuer: { readonly serial: string } } }> {
    const ask =
      "fetch('http://127.0.0.1:15000/dump').then(async (answer) => console.log(await answer.text()))";
    return JSON.parse(await this.#namespace.exec(podName, ['node', '-e', ask], 'sallyport')) as never;
  }
}

const DEPLOYMENT = `deployment/${CONTROLLER.name}`;

const SIDECAR = {
  trustDomain: CONTROLLER.trustDomain,
  trustBundle: '/etc/trust/trust-bundle.pem',
  policies: ['/etc/policies'],
  controller: {
    host: `${CONTROLLER.name}.${CONTROLLER.namespace}.svc.cluster.local`,
    namespace: CONTROLLER.namespace,
    serviceAccount: CONTROLLER.name,
    token: '/var/run/secrets/sallyport/token',
  },
};

const MOUNTS = [
  { name: 'sallyport', mountPath: FOLDER, readOnly: true },
  { name: 'policies', mountPath: '/etc/policies', readOnly: true },
  { name: 'trust', mountPath: '/etc/trust', readOnly: true },
  { name: 'token', mountPath: '/var/run/secrets/sallyport', readOnly: true },
];

const VOLUMES = [
  { name: 'sallyport', configMap: { name: 'mesh' } },
  { name: 'policies', configMap: { name: 'policies' } },
  { name: 'trust', configMap: { name: CONTROLLER.trustBundle } },
  {
    name: 'token',
    projected: {
      sources: [
        { serviceAccountToken: { audience: CONTROLLER.audience, expirationSeconds: 3600, path: 'token' } },
      ],
    },
  },
];

function configMap(name: string, data: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
}
