import type { Cidr } from '#policy';
import type { Clock, Log, Scope } from '#runtime';
import { type Affected, Graph } from './graph/graph.ts';
import type { ObjectChange, ObjectKey, ObjectKind } from './graph/records.ts';
import {
  type FollowedKind,
  isPolicyKind,
  KINDS,
  OPTIONAL,
  PATHS,
  POLICY_KINDS,
  trim,
} from './objects/kinds.ts';
import type { ApiObjects } from './watch/api-objects.ts';
import { WATCH_LIMITS, type WatchLimits } from './watch/limits.ts';
import type { ApiObject } from './watch/api-objects.ts';
import { Reflector, type WatchRestart } from './watch/reflector.ts';

export interface ClusterConfig {
  readonly api: ApiObjects;
  /** Of pods and Services. Networks of nodes' pods, nodes and load balancers are added as they are seen. */
  readonly clusterNetworks: readonly Cidr[];
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly onRestart?: (kind: FollowedKind, reason: WatchRestart) => void;
  /** Every pod as it comes, whole, for who needs other parts of it. Undefined: it is gone. */
  readonly onPod?: (key: ObjectKey, pod: ApiObject | undefined) => void;
  /** Every policy as it comes. Undefined: it is gone. */
  readonly onPolicy?: (
    kind: (typeof POLICY_KINDS)[keyof typeof POLICY_KINDS],
    key: ObjectKey,
    object: ApiObject | undefined,
  ) => void;
  readonly limits?: Partial<WatchLimits>;
}

/** For each kind of object that answers are made of, a resourceVersion. Networks of Services are none of these. */
export type Position = Readonly<Record<Exclude<FollowedKind, 'servicecidrs'>, number>>;

/** The cluster's objects, followed and kept as a graph. */
export class Cluster {
  readonly graph: Graph;
  readonly #clusterNetworks: readonly string[];
  readonly #reflectors: ReadonlyMap<FollowedKind, Reflector>;
  readonly #listeners = new Set<(affected: Affected) => void>();

  constructor({ clusterNetworks, limits, onPod, onPolicy, onRestart, ...parts }: ClusterConfig) {
    this.graph = new Graph({ clusterNetworks });
    this.#clusterNetworks = clusterNetworks.map(({ text }) => text);
    const reflectorOf = (kind: FollowedKind): Reflector =>
      new Reflector({
        ...parts,
        path: PATHS[kind],
        optional: OPTIONAL.has(kind),
        doubtsAbsence: isPolicyKind(kind),
        limits: { ...WATCH_LIMITS, ...limits },
        onObject: (key, object) => {
          if (isPolicyKind(kind)) {
            onPolicy?.(POLICY_KINDS[kind], key, object);
            return;
          }
          if (kind === 'pods') onPod?.(key, object);
          const affected = this.graph.apply(trimmed(kind, key, object, parts.log));
          for (const listener of this.#listeners) listener(affected);
        },
        onRestart: (reason) => onRestart?.(kind, reason),
      });
    this.#reflectors = new Map(KINDS.map((kind) => [kind, reflectorOf(kind)]));
  }

  run(scope: Scope): void {
    for (const reflector of this.#reflectors.values()) reflector.run(scope);
  }

  /** Told of each change, at once. */
  subscribe(listener: (affected: Affected) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `cut`: how many more there are than can be told. */
  networks(): { readonly networks: readonly string[]; readonly cut: number } {
    const { networks, cut } = this.graph.networks();
    return { networks: [...this.#clusterNetworks, ...networks], cut };
  }

  /** Whether all objects were told once: before that, what is not known may exist. */
  get synced(): boolean {
    return this.#every(({ synced }) => synced);
  }

  /** Whether every watch was heard of recently, so that what is told may be relied upon. */
  get fresh(): boolean {
    return this.#every(({ fresh }) => fresh);
  }

  /** Of the watch that was silent for longest. */
  get ageMilliseconds(): number {
    return Math.max(...[...this.#reflectors.values()].map(({ ageMilliseconds }) => ageMilliseconds));
  }

  /** The newest changes that were told. */
  get told(): Position {
    return this.#positions(({ told }) => told);
  }

  /** Whether no change up to `position` is missing here. */
  hasReached({ pods, services, endpointslices, nodes, meshpolicies, meshtlses }: Position): boolean {
    const reached = this.#positions((reflector) => reflector.reached);
    return (
      reached.pods >= pods &&
      reached.services >= services &&
      reached.endpointslices >= endpointslices &&
      reached.nodes >= nodes &&
      reached.meshpolicies >= meshpolicies &&
      reached.meshtlses >= meshtlses
    );
  }

  #every(holds: (reflector: Reflector) => boolean): boolean {
    return [...this.#reflectors.values()].every(holds);
  }

  #positions(of: (reflector: Reflector) => number): Position {
    const at = (kind: FollowedKind): number => {
      const reflector = this.#reflectors.get(kind);
      return reflector === undefined ? 0 : of(reflector);
    };
    return {
      pods: at('pods'),
      services: at('services'),
      endpointslices: at('endpointslices'),
      nodes: at('nodes'),
      meshpolicies: at('meshpolicies'),
      meshtlses: at('meshtlses'),
    };
  }
}

/** An object that isn't as its kind has it counts as gone: nothing is said of what can't be read. */
function trimmed(kind: ObjectKind, key: ObjectKey, object: ApiObject | undefined, log: Log): ObjectChange {
  try {
    return trim(kind, key, object);
  } catch (error) {
    log.error('an object cannot be read, so it counts as gone', { kind, object: key, error: String(error) });
    return trim(kind, key, undefined);
  }
}
