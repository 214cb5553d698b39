import type { Cluster, CommandOptions } from './cluster.ts';
import { eventually } from './command.ts';
import { IMAGES } from './images.ts';

/** A Kubernetes object as the API takes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

/** What a story does in its own namespace. */
export class Namespace {
  readonly name: string;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
  }

  kubectl(args: readonly string[], options?: CommandOptions): Promise<string> {
    return this.#cluster.kubectl(['--namespace', this.name, ...args], options);
  }

  async apply(...manifests: readonly Manifest[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    await this.kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) });
  }

  /**
   * Asks the API server for an object that it should refuse, until it does so with these words. One that it takes is
   * deleted again, or the next try would find it there and change nothing.
   */
  async refuses(manifest: Manifest, words: string): Promise<void> {
    const object = `${manifest.kind}/${manifest.metadata.name}`;
    await eventually(async () => {
      const answer = await this.kubectl(['create', '-f', '-'], { input: JSON.stringify(manifest) }).catch(
        String,
      );
      if (answer.includes(words)) return;
      await this.kubectl(['delete', object, '--force', '--ignore-not-found']);
      throw new Error(`${object} was not refused with "${words}" but: ${answer}`);
    });
  }

  /** Waits for a condition (`Ready`, `Complete`) of objects, such as `pod/server`. */
  async until(condition: string, objects: readonly string[], seconds = 180): Promise<void> {
    const args = ['wait', `--for=condition=${condition}`, `--timeout=${seconds}s`, ...objects];
    await this.kubectl(args, { timeoutMilliseconds: (seconds + 10) * 1000 });
  }

  /** Runs a command in a pod's container (the first, if none is named). */
  exec(pod: string, command: readonly string[], container?: string): Promise<string> {
    const choice = container === undefined ? [] : ['--container', container];
    return this.kubectl(['exec', pod, ...choice, '--', ...command]);
  }

  /** One field of an object, as kubectl's JSONPath writes it. */
  field(object: string, path: string): Promise<string> {
    return this.kubectl(['get', object, '--output', `jsonpath={${path}}`]);
  }

  /** A pod's addresses, IPv4 first. */
  async addresses(pod: string): Promise<string[]> {
    return (await this.field(`pod/${pod}`, '.status.podIPs[*].ip')).split(' ');
  }

  /** What a person would look at when a story failed. */
  async report(): Promise<string> {
    const shown = await this.kubectl(['get', 'all', '--output', 'wide']);
    const events = await this.kubectl(['get', 'events', '--sort-by=.lastTimestamp']);
    const pods = (await this.kubectl(['get', 'pods', '--output', 'name'])).trim().split('\n').filter(Boolean);
    const logs = await Promise.all(
      pods.map(async (pod) => {
        const text = await this.kubectl([
          'logs',
          pod,
          '--all-containers',
          '--ignore-errors',
          '--prefix',
          '--tail=40',
        ]).catch(String);
        return `== ${pod}\n${text}`;
      }),
    );
    return [shown, events, ...logs].join('\n');
  }
}

/** A container of the stories' own application: see apps/app.ts. */
export function applicationContainer(name: string, args: readonly string[]): Record<string, unknown> {
  return { name, image: IMAGES.application, imagePullPolicy: 'Never', args };
}

export function toolsContainer(name: string, command: string): Record<string, unknown> {
  return { name, image: IMAGES.tools, imagePullPolicy: 'Never', command: ['sh', '-c', command] };
}

export interface PodOptions {
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly initContainers?: readonly unknown[];
  /** More of the pod's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

export function pod(name: string, containers: readonly unknown[], options: PodOptions = {}): Manifest {
  const { node, labels, initContainers, spec } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name, ...labels } },
    spec: {
      terminationGracePeriodSeconds: 1,
      ...(node === undefined ? {} : { nodeName: node }),
      ...(initContainers === undefined ? {} : { initContainers }),
      containers,
      ...spec,
    },
  };
}

/** A Service of both families for the pods with the label `app=NAME`. */
export function service(name: string, port: number, spec: Readonly<Record<string, unknown>> = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port }], ipFamilyPolicy: 'RequireDualStack', ...spec },
  };
}
