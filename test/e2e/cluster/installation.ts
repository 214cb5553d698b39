import { fileURLToPath } from 'node:url';
import type { Cluster } from './cluster.ts';
import { IMAGES } from './images.ts';

const CHART = fileURLToPath(new URL('../../../deploy/helm/sallyport', import.meta.url));
const MINUTES = 60_000;

/**
 * A release of the chart, in a namespace of its own and beside whatever else runs in the cluster. No value is set but
 * which image it is: there is no registry.
 */
export class Installation {
  readonly name: string;
  readonly namespace: string;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
    this.namespace = `${name}-system`;
  }

  /** With values of a story's own, such as `controller.replicas=2`. */
  async install(...values: readonly string[]): Promise<void> {
    await this.#helm([
      ...['install', this.name, CHART, '--create-namespace', '--wait', '--timeout=120s'],
      ...image(),
      ...values.flatMap((value) => ['--set', value]),
    ]);
  }

  /** With other values, such as `controller.replicas=2`. */
  async upgrade(...values: readonly string[]): Promise<void> {
    const set = values.flatMap((value) => ['--set', value]);
    await this.#helm(['upgrade', this.name, CHART, '--wait', '--timeout=120s', ...image(), ...set]);
  }

  /** Rejects with what helm said, if it was refused. */
  async uninstall(): Promise<void> {
    await this.#helm(['uninstall', this.name, '--wait', '--timeout=120s']);
  }

  /** kubectl in the controller's namespace. */
  kubectl(args: readonly string[]): Promise<string> {
    return this.#cluster.kubectl(['--namespace', this.namespace, ...args], {
      timeoutMilliseconds: 2 * MINUTES,
    });
  }

  async scale(replicas: number): Promise<void> {
    const controller = `deployment/${this.name}-controller`;
    await this.kubectl(['scale', controller, `--replicas=${replicas}`]);
    if (replicas > 0) await this.kubectl(['rollout', 'status', controller, '--timeout=100s']);
    else {
      const selector = `--selector=app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=controller`;
      await this.kubectl(['wait', '--for=delete', 'pod', selector, '--timeout=100s']);
    }
  }

  /** What there still is of ours, in the whole cluster. */
  async leftovers(): Promise<string> {
    const kinds = [
      'clusterroles',
      'clusterrolebindings',
      'mutatingwebhookconfigurations',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
    ].join(',');
    const selector = `--selector=app.kubernetes.io/instance=${this.name}`;
    const names = ['--output', 'name', '--ignore-not-found'];
    const wide = await this.#cluster.kubectl(['get', kinds, selector, ...names]);
    const maps = await this.#cluster.kubectl([
      ...['get', 'configmaps', '--all-namespaces', '--output', 'name'],
      `--field-selector=metadata.name=${this.name}-trust-bundle`,
    ]);
    const own = await this.kubectl([
      'get',
      'all,secrets,leases,roles,rolebindings,networkpolicies',
      ...names,
    ]);
    return `${wide}${maps}${own}`.trim();
  }

  async remove(): Promise<void> {
    await this.#helm(['uninstall', this.name, '--no-hooks', '--ignore-not-found']);
    await this.#cluster.kubectl([
      'delete',
      'namespace',
      this.namespace,
      '--ignore-not-found',
      '--wait=false',
    ]);
  }

  #helm(args: readonly string[]): Promise<string> {
    return this.#cluster.helm(['--namespace', this.namespace, ...args], { timeoutMilliseconds: 3 * MINUTES });
  }
}

function image(): string[] {
  const [repository = '', tag = ''] = IMAGES.sallyport.split(':');
  const values = Object.entries({ repository, tag, pullPolicy: 'Never' });
  return values.flatMap(([key, value]) => ['--set', `image.${key}=${value}`]);
}
