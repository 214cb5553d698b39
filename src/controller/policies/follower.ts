import type { Workload } from '#policy';
import type { DiscoveryResponse } from '#rpc';
import type { ClusterPolicies, Share } from './cluster-policies.ts';
import type { Observations, Report } from './observations.ts';

/** The workload of one pod; undefined: it isn't known, or will not run again. */
export type WorkloadOf = (podUid: string) => Workload | undefined;

export interface FollowersConfig {
  readonly policies: ClusterPolicies;
  readonly workloadOf: WorkloadOf;
  readonly observations: Observations;
}

/**
 * The sidecars that are told their policies. Whose they are follows from the certificate of the connection, so none can ask
 * for another's.
 */
export class Followers {
  readonly #config: FollowersConfig;
  readonly #byNamespace = new Map<string, Set<Follower>>();
  readonly #byPod = new Map<string, Set<Follower>>();

  constructor(config: FollowersConfig) {
    this.#config = config;
    config.policies.subscribe((namespace) => {
      const concerned =
        namespace === undefined ? [...this.#byNamespace.values()] : [this.#byNamespace.get(namespace)];
      for (const followers of concerned) for (const follower of followers ?? []) follower.touch();
    });
  }

  /** @param known the version that it has; empty: none
   *  @param onChange there may be something to be told */
  follow(
    pod: { readonly podUid: string; readonly namespace: string },
    known: string,
    onChange: () => void,
  ): Follower {
    const { observations, policies, workloadOf } = this.#config;
    const own = (): Workload | undefined => {
      const workload = workloadOf(pod.podUid);
      // What a certificate names is the pod's own namespace; a pod that says another is not that pod.
      return workload?.namespace === pod.namespace ? workload : undefined;
    };
    const follower = new Follower({
      share: () => {
        const workload = own();
        return workload === undefined ? undefined : policies.shareOf(workload);
      },
      observe: (share, report) => {
        const workload = own();
        if (workload !== undefined) observations.take(workload, share, report);
      },
      known,
      onChange,
    });
    add(this.#byNamespace, pod.namespace, follower);
    add(this.#byPod, pod.podUid, follower);
    follower.onClose(() => {
      remove(this.#byNamespace, pod.namespace, follower);
      remove(this.#byPod, pod.podUid, follower);
    });
    return follower;
  }

  /** The pod's labels may have changed, or it is known now. */
  podChanged(podUid: string): void {
    for (const follower of this.#byPod.get(podUid) ?? []) follower.touch();
  }

  /** Whether a pod's sidecar is told its policies here, and so reports here. */
  follows(podUid: string): boolean {
    return this.#byPod.has(podUid);
  }

  get size(): number {
    let sum = 0;
    for (const followers of this.#byPod.values()) sum += followers.size;
    return sum;
  }
}

interface FollowerConfig {
  readonly share: () => Share | undefined;
  readonly observe: (share: Share, report: Report) => void;
  readonly known: string;
  readonly onChange: () => void;
}

/** What one sidecar has been told of its policies. Nothing is queued: the next message says what it lacks then. */
export class Follower {
  readonly #config: FollowerConfig;
  #known: string;
  #told: Share | undefined;
  #stale = true;
  #close = (): void => undefined;

  constructor(config: FollowerConfig) {
    this.#config = config;
    this.#known = config.known;
  }

  /** Undefined: it has what there is. */
  next(): DiscoveryResponse | undefined {
    if (!this.#stale) return undefined;
    const share = this.#config.share();
    // Told once the pod is known.
    if (share === undefined) return undefined;
    this.#stale = false;
    const { version, objects } = share;
    if (this.#told?.version === version) return undefined;
    const before = this.#told ?? (this.#known === version ? share : undefined);
    this.#told = share;
    const changed = [...objects.values()].filter(({ key, hash }) => before?.objects.get(key)?.hash !== hash);
    const removed = [...(before?.objects.keys() ?? [])].filter((key) => !objects.has(key));
    return {
      policies: {
        version,
        since: before?.version ?? '',
        changed: changed.map(({ key, text }) => ({ key, text })),
        removed,
        circumstances: circumstancesOf(share),
      },
    };
  }

  /** What the sidecar says it saw; of what it wasn't told it can say nothing. */
  report(report: Report): void {
    if (this.#told !== undefined) this.#config.observe(this.#told, report);
  }

  /** The sidecar could not use a change: next it is told everything. */
  forget(): void {
    this.#told = undefined;
    this.#known = '';
    this.touch();
  }

  touch(): void {
    this.#stale = true;
    this.#config.onChange();
  }

  onClose(close: () => void): void {
    this.#close = close;
  }

  close(): void {
    this.#close();
  }
}

function circumstancesOf({ circumstances: { labels, defaults } }: Share) {
  return { labels, tlsMode: defaults?.tlsMode ?? '', unselected: defaults?.unselected ?? '' };
}

function add<K>(sets: Map<K, Set<Follower>>, key: K, follower: Follower): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(follower));
}

function remove<K>(sets: Map<K, Set<Follower>>, key: K, follower: Follower): void {
  const followers = sets.get(key);
  followers?.delete(follower);
  if (followers?.size === 0) sets.delete(key);
}
