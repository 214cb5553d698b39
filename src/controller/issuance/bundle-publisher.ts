import { encodeTrustBundle, type TrustBundle } from '#identity';
import { type Clock, type Log, type ReadableWatch, type Scope, sleep } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';
import { ownedBy, type OwnerReference } from '../kubernetes/owner.ts';

export interface BundlePublisherConfig {
  readonly api: KubernetesApi;
  readonly bundle: ReadableWatch<TrustBundle>;
  /** Name of the ConfigMap in every namespace; its key is `trust-bundle.pem`. */
  readonly name: string;
  /** One replica is enough for this; several at once write the same. */
  readonly leads: ReadableWatch<boolean>;
  /** With whom the ConfigMaps go; undefined: they stay. */
  readonly owner?: OwnerReference | undefined;
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

  /** Namespaces that were seen to have the newest one. */
  #present: ReadonlySet<string> = new Set();
  #presentFor = '';

  constructor(config: BundlePublisherConfig) {
    this.#config = config;
  }

  /**
   * Sees to it that one namespace has a bundle, before the period is over and whichever replica this is: an older one
   * that is there will do, since the leader replaces it. Resolves with what keeps it from that.
   */
  async ensure(namespace: string, signal: AbortSignal): Promise<string | undefined> {
    const { api, bundle } = this.#config;
    if (this.#presentFor === bundle.value.hash && this.#present.has(namespace)) return undefined;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    try {
      const made = await api.send(
        'POST',
        path,
        this.#map(namespace, encodeTrustBundle(bundle.value)),
        signal,
      );
      return made.status === 201 || made.status === 409 ? undefined : statusText(made);
    } catch (error) {
      return String(error);
    }
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
    const { hash } = bundle.value;
    const present = new Set<string>();
    const [namespaces, maps] = await Promise.all([
      this.#list('/api/v1/namespaces', signal),
      this.#list(`/api/v1/configmaps?labelSelector=${encodeURIComponent(LABEL)}`, signal),
    ]);
    // Another mesh in the cluster has maps of another name.
    const ours = maps.filter(({ metadata }) => metadata.name === name);
    const written = new Map(ours.map((map) => [map.metadata.namespace, map]));
    for (const { metadata, status } of namespaces) {
      if (status?.phase === 'Terminating') continue;
      if (written.get(metadata.name)?.data?.[KEY] === pem) {
        present.add(metadata.name);
        continue;
      }
      const problem = await this.#write(metadata.name, pem, signal);
      if (problem !== undefined) {
        log.warn('the trust bundle could not be written', { namespace: metadata.name, problem });
      }
    }
    this.#present = present;
    this.#presentFor = hash;
  }

  async #write(namespace: string, pem: string, signal: AbortSignal): Promise<string | undefined> {
    const { api, name } = this.#config;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const map = this.#map(namespace, pem);
    const made = await api.send('POST', path, map, signal);
    if (made.status === 201) return undefined;
    if (made.status !== 409) return statusText(made);
    // It is ours by its name; without a resourceVersion it is replaced whatever was written meanwhile.
    const replaced = await api.send('PUT', `${path}/${name}`, map, signal);
    return replaced.status === 200 ? undefined : statusText(replaced);
  }

  #map(namespace: string, pem: string): object {
    const { name, owner } = this.#config;
    const labels = { [LABEL]: 'true', 'app.kubernetes.io/managed-by': 'sallyport' };
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels, ...ownedBy(owner) },
      data: { [KEY]: pem },
    };
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
