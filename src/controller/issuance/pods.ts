import { hasSidecar } from '../discovery/objects/pod.ts';

/** What issuance and policies need of a pod. */
export interface PodFacts {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  /** It will not run again: Succeeded or Failed. */
  readonly ended: boolean;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** It has a sidecar, by parts of its spec that can't be changed (docs/adr/0006-meshed-by-pod-spec.md). */
  readonly meshed: boolean;
  /** How often the container of the sidecar was started again. */
  readonly restarts: number;
}

/** The cluster's pods by UID, as a watch tells of them. */
export class Pods {
  readonly #sidecar: string;
  readonly #byUid = new Map<string, PodFacts>();
  readonly #uids = new Map<string, string>();
  readonly #listeners = new Set<(gone: string | undefined, relabelled: string | undefined) => void>();

  /** `sidecar` names the container whose restarts are counted. */
  constructor(sidecar: string) {
    this.#sidecar = sidecar;
  }

  byUid(uid: string): PodFacts | undefined {
    return this.#byUid.get(uid);
  }

  /** Every pod that is there, ended ones too. */
  all(): Iterable<PodFacts> {
    return this.#byUid.values();
  }

  /**
   * Told after each change, with the UIDs of the pod that will not run again and of the one that is new or has other
   * labels, until the returned function is called.
   */
  subscribe(listener: (gone: string | undefined, relabelled: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The pod `<namespace>/<name>` as it is now; undefined: it is gone. */
  apply(key: string, object: object | undefined): void {
    const before = this.#uids.get(key);
    const labels = before === undefined ? undefined : this.#byUid.get(before)?.labels;
    if (before !== undefined) this.#byUid.delete(before);
    this.#uids.delete(key);
    const facts = object === undefined ? undefined : podFacts(object, this.#sidecar);
    if (facts !== undefined) {
      this.#byUid.set(facts.uid, facts);
      this.#uids.set(key, facts.uid);
    }
    const gone = facts?.uid === before && facts?.ended !== true ? undefined : before;
    const isRelabelled = facts?.uid !== before || JSON.stringify(facts?.labels) !== JSON.stringify(labels);
    for (const listener of this.#listeners) listener(gone, isRelabelled ? facts?.uid : undefined);
  }
}

interface PodObject {
  readonly metadata?: {
    readonly uid?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly nodeName?: string;
    readonly hostNetwork?: boolean;
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name?: string;
  readonly restartCount?: number;
}

function podFacts(object: object, sidecar: string): PodFacts {
  const { metadata, spec, status } = object as PodObject;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return Object.freeze({
    uid: metadata?.uid ?? '',
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    serviceAccount: spec?.serviceAccountName ?? 'default',
    nodeName: spec?.nodeName ?? '',
    hostNetwork: spec?.hostNetwork === true,
    ended: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    addresses: (status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip])),
    labels: Object.freeze({ ...metadata?.labels }),
    meshed: hasSidecar((spec ?? {}) as Parameters<typeof hasSidecar>[0]),
    restarts: statuses.find(({ name }) => name === sidecar)?.restartCount ?? 0,
  });
}
