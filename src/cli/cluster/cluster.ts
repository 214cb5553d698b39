import { request } from 'node:http';
import {
  type ApiAnswer,
  ApiUnavailable,
  type KubernetesApi,
  kubernetesApi,
  openPodPort,
  PodPortError,
  statusText,
} from '#controller/kubernetes';
import { UsageError } from '../usage-error.ts';
import { chosenConfig } from './kubeconfig.ts';
import { sayForbidden, sayStranger, sayUnavailable } from './trouble.ts';

/** How the user said which cluster and which mesh in it is meant. */
export interface ClusterChoice {
  /** Where the controller runs. */
  readonly namespace: string;
  /** Of the kubeconfig; undefined: the current one. */
  readonly context: string | undefined;
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

type Method = Parameters<KubernetesApi['send']>[0];

/**
 * The cluster of a kubeconfig, as its user may see it. All methods reject with a UsageError that says what to do where
 * the cluster is not there, doesn't know the user or doesn't let him.
 */
export class Cluster {
  readonly namespace: string;
  readonly context: string;
  readonly server: string;
  readonly #config: ReturnType<typeof chosenConfig>;
  readonly #api: KubernetesApi;

  constructor({ namespace, context }: ClusterChoice) {
    this.#config = chosenConfig(context);
    this.#api = kubernetesApi(this.#config);
    this.namespace = namespace;
    this.context = this.#config.getCurrentContext();
    this.server = this.#config.getCurrentCluster()?.server ?? '';
  }

  /** For those parts of the controller that a command uses. */
  get api(): KubernetesApi {
    return { send: (method, path, body, signal) => this.send(method, path, body, signal) };
  }

  async send(method: Method, path: string, body?: object, signal?: AbortSignal): Promise<ApiAnswer> {
    let answer: ApiAnswer;
    try {
      answer = await this.#api.send(method, path, body, signal);
    } catch (error) {
      if (error instanceof ApiUnavailable) throw new UsageError(sayUnavailable(this, error));
      throw error;
    }
    if (answer.status === 401) throw new UsageError(sayStranger(this));
    if (answer.status === 403) throw new UsageError(sayForbidden(this, statusText(answer)));
    return answer;
  }

  /** Undefined: there is none. */
  async read<T>(path: string): Promise<T | undefined> {
    const answer = await this.send('GET', path);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new UsageError(`${path}: ${statusText(answer)}`);
    return answer.body as T;
  }

  /** Every object of a collection, page by page; none where Kubernetes knows no such kind. */
  async list<T>(path: string, selector = ''): Promise<readonly T[]> {
    const found: T[] = [];
    let next = '';
    do {
      const query = new URLSearchParams({
        limit: '500',
        ...(selector === '' ? {} : { labelSelector: selector }),
        ...(next === '' ? {} : { continue: next }),
      });
      const page = await this.read<Page<T>>(`${path}?${query.toString()}`);
      found.push(...(page?.items ?? []));
      next = page?.metadata?.continue ?? '';
    } while (next !== '');
    return found;
  }

  /** GET of an HTTP port in a pod, loopback too. Rejects with PodPortError; `status` is what the pod answered. */
  async ask(pod: PodName, port: number, path: string): Promise<{ status: number; text: string }> {
    const stream = await openPodPort(this.#config, { namespace: pod.namespace, pod: pod.name, port });
    try {
      return await new Promise((resolve, reject) => {
        stream.once('error', reject);
        const asked = request({
          // What the admin port takes for this machine.
          host: 'localhost',
          path,
          createConnection: () => stream,
          signal: AbortSignal.timeout(ASK_MILLISECONDS),
        });
        asked.once('error', reject);
        asked.once('response', (response) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          response.on('data', (part: Buffer) => {
            bytes += part.length;
            if (bytes > MOST_BYTES)
              response.destroy(new Error(`the answer has more than ${MOST_BYTES} bytes`));
            else parts.push(part);
          });
          response.once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
          );
        });
        asked.end();
      });
    } catch (error) {
      if (error instanceof PodPortError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new PodPortError({ namespace: pod.namespace, pod: pod.name, port }, why);
    } finally {
      stream.destroy();
    }
  }
}

interface Page<T> {
  readonly items?: readonly T[];
  readonly metadata?: { readonly continue?: string };
}

const ASK_MILLISECONDS = 15_000;
/** A sidecar's handshakes are 4 MiB at most. */
const MOST_BYTES = 16 * 1024 * 1024;
