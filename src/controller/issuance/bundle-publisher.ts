import { encodeTrustBundle, type TrustBundle } from '#identity';
import { type Clock, type Log, type ReadableWatch, type Scope, sleep } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';

export interface BundlePublisherConfig {
  readonly api: KubernetesApi;
  readonly bundle: ReadableWatch<TrustBundle>;
  /** Name of the ConfigMap in every namespace; its key is `trust-bundle.pem`. */
  readonly name: string;
  /** One replica is enough for this; several at once write the same. */
  readonly leads: ReadableWatch<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A new namespace has the bundle this much later at most. The kubelet tries a missing volume again by itself. */
const PERIOD_MILLISECONDS = 5000;
const LABEL = 'mesh.sallyport.dev/trust-bundle';
const KEY = 'trust-bundle.pem';
const PAGE = 500;

/** Keeps a ConfigMap with the roots in every namespace, so that pods can mount whom to believe. */
export class BundlePublisher {
  readonly #config: BundlePublisherConfig;

  constructor(config: BundlePublisherConfig) {
    this.#config = config;
  }

  run(scope: Scope): void {
    const { bundle, clock, leads, log } = this.#config;
    let wake = (): void => undefined;
    scope.defer(leads.subscribe(() => wake()));
    scope.defer(bundle.subscribe(() => wake()));
    scope.run(async (signal) => {
      for (;;) {
        if (leads.value) {
          await this.reconcile(signal).catch((error: unknown) => {
            log.warn('the trust bundle could not be brought to every namespace', { error: String(error) });
          });
        }
        const woken = new AbortController();
        wake = () => woken.abort();
        const either = AbortSignal.any([signal, woken.signal]);
        await sleep(clock, PERIOD_MILLISECONDS, either).catch(() => signal.throwIfAborted());
      }
    });
  }

  /** Writes what is missing or differs, in namespaces that are not about to go. */
  async reconcile(signal: AbortSignal): Promise<void> {
    const { bundle, log, name } = this.#config;
    const pem = encodeTrustBundle(bundle.value);
    const [namespaces, maps] = await Promise.all([
      this.#list('/api/v1/namespaces', signal),
      this.#list(`/api/v1/configmaps?labelSelector=${encodeURIComponent(LABEL)}`, signal),
    ]);
    const written = new Map(maps.map((map) => [map.metadata.namespace, map]));
    for (const { metadata, status } of namespaces) {
      if (status?.phase === 'Terminating') continue;
      const present = written.get(metadata.name);
      if (present?.metadata.name === name && present.data?.[KEY] === pem) continue;
      const problem = await this.#write(metadata.name, pem, signal);
      if (problem !== undefined) {
        log.warn('the trust bundle could not be written', { namespace: metadata.name, problem });
      }
    }
  }

  async #write(namespace: string, pem: string, signal: AbortSignal): Promise<string | undefined> {
    const { api, name } = this.#config;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels: { [LABEL]: 'true', 'app.kubernetes.io/managed-by': 'sallyport' } },
      data: { [KEY]: pem },
    };
    const made = await api.send('POST', path, map, signal);
    if (made.status === 201) return undefined;
    if (made.status !== 409) return statusText(made);
    // It is ours by its name; without a resourceVersion it is replaced whatever was written meanwhile.
    const replaced = await api.send('PUT', `${path}/${name}`, map, signal);
    return replaced.status === 200 ? undefined : statusText(replaced);
  }

  async #list(path: string, signal: AbortSignal): Promise<ListedObject[]> {
    const items: ListedObject[] = [];
    let next: string | undefined;
    do {
      const query = `limit=${PAGE}${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const page = await this.#config.api.send(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}${query}`,
        undefined,
        signal,
      );
      if (page.status !== 200) throw new Error(`${path}: ${statusText(page)}`);
      const { items: listed, metadata } = page.body as {
        items?: ListedObject[];
        metadata?: { continue?: string };
      };
      items.push(...(listed ?? []));
      next = metadata?.continue === '' ? undefined : metadata?.continue;
    } while (next !== undefined);
    return items;
  }
}

interface ListedObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly status?: { readonly phase?: string };
  readonly data?: Readonly<Record<string, string>>;
}
