import {
  type Circumstances,
  compilePolicySet,
  documentsFor,
  formatProblem,
  keyOf,
  type PolicyContext,
  type PolicyDefaults,
  type PolicyDocument,
  type PolicySet,
  readObject,
  tlsMode,
  type ToldObject,
  versionOf,
  type Workload,
} from '#policy';
import type { Log } from '#runtime';
import { POLICY_LIMITS, type PolicyLimits } from './limits.ts';
import { type StoredPolicy, standIn } from './stand-in.ts';

export interface ClusterPoliciesConfig {
  readonly trustDomain: string;
  readonly rootNamespace: string;
  /** Undefined: sidecars keep to their own configuration. */
  readonly defaults: PolicyDefaults | undefined;
  readonly log: Log;
  readonly limits?: Partial<PolicyLimits>;
}

/** One object of the API server, and what of it is in force. */
export interface KeptPolicy {
  readonly key: string;
  readonly object: StoredPolicy;
  /** This version, an earlier one, or what stands in for it. */
  readonly inForce: ToldObject | undefined;
  /** Why this version is not in force; empty: it is. */
  readonly problem: string;
}

/** What one workload is told. */
export interface Share {
  readonly version: string;
  /** By key. */
  readonly objects: ReadonlyMap<string, ToldObject>;
  readonly circumstances: Circumstances;
}

/**
 * The MeshPolicy and MeshTLS of a cluster, and which of them concern a workload. Each object is taken for itself: one
 * with a mistake keeps its own last good version, so that no owner of a namespace holds up the changes of another.
 */
export class ClusterPolicies {
  readonly #config: ClusterPoliciesConfig;
  readonly #limits: PolicyLimits;
  readonly #context: PolicyContext;
  readonly #byNamespace = new Map<string, Map<string, KeptPolicy>>();
  readonly #objects = new WeakMap<PolicyDocument, ToldObject>();
  /** Of a namespace with the root's, made when it is asked for. */
  readonly #compiled = new Map<string, PolicySet>();
  readonly #listeners = new Set<(namespace: string | undefined) => void>();
  readonly #objectListeners = new Set<(key: string) => void>();

  constructor(config: ClusterPoliciesConfig) {
    this.#config = config;
    this.#limits = { ...POLICY_LIMITS, ...config.limits };
    const { defaults = NO_DEFAULTS, trustDomain, rootNamespace } = config;
    this.#context = { defaults, trustDomain, rootNamespace };
  }

  /** An object as it is now; undefined: `<namespace>/<name>` is gone. */
  apply(kind: StoredPolicy['kind'], name: string, object: object | undefined): void {
    const namespace = name.slice(0, name.indexOf('/'));
    const kept = this.#byNamespace.get(namespace) ?? new Map<string, KeptPolicy>();
    const key = `${kind} ${name}`;
    const before = kept.get(key);
    if (object === undefined) kept.delete(key);
    else {
      const now = this.#judge({ ...(object as StoredPolicy), kind }, before, kept);
      kept.set(key, now);
      if (now.problem !== '' && now.problem !== before?.problem)
        this.#config.log.error('a policy is not in force as it is written', {
          policy: key,
          problem: now.problem,
          inForce: now.inForce === undefined ? 'nothing' : 'an earlier version, or what admits nobody',
        });
    }
    if (kept.size === 0) this.#byNamespace.delete(namespace);
    else this.#byNamespace.set(namespace, kept);
    if (kept.get(key)?.inForce?.hash !== before?.inForce?.hash) this.#changed(namespace);
    for (const listener of this.#objectListeners) listener(key);
  }

  /** Told the key of each object that changed in any way. */
  onObject(listener: (key: string) => void): () => void {
    this.#objectListeners.add(listener);
    return () => this.#objectListeners.delete(listener);
  }

  find(key: string): KeptPolicy | undefined {
    const namespace = key.slice(key.indexOf(' ') + 1, key.indexOf('/'));
    return this.#byNamespace.get(namespace)?.get(key);
  }

  /** Whether an object says something about a workload. */
  concerns({ inForce }: KeptPolicy, workload: Workload): boolean {
    if (inForce === undefined) return false;
    return documentsFor(this.#setOf(workload.namespace), workload).includes(inForce.document);
  }

  /** Of the MeshTLS that decides the mode of a port; undefined: the default does. */
  tlsKeyOf(workload: Workload, port: number): string | undefined {
    const { source } = tlsMode(this.#setOf(workload.namespace), workload, port);
    return source === undefined ? undefined : keyOf({ kind: 'MeshTLS', metadata: source });
  }

  /** Told of the namespace whose workloads may be concerned; undefined: all. */
  subscribe(listener: (namespace: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All that there are, whatever their state. */
  *all(): Iterable<KeptPolicy> {
    for (const kept of this.#byNamespace.values()) yield* kept.values();
  }

  /** Objects that are in force as they are written, and those that are not. */
  get counts(): { readonly accepted: number; readonly refused: number } {
    let accepted = 0;
    let refused = 0;
    for (const { problem } of this.all()) {
      if (problem === '') accepted += 1;
      else refused += 1;
    }
    return { accepted, refused };
  }

  shareOf(workload: Workload): Share {
    const objects = new Map<string, ToldObject>();
    for (const document of documentsFor(this.#setOf(workload.namespace), workload)) {
      const told = this.#objects.get(document);
      if (told !== undefined) objects.set(told.key, told);
    }
    const circumstances = { labels: workload.labels, defaults: this.#config.defaults };
    return { version: versionOf(objects.values(), circumstances), objects, circumstances };
  }

  #judge(
    object: StoredPolicy,
    before: KeptPolicy | undefined,
    others: ReadonlyMap<string, KeptPolicy>,
  ): KeptPolicy {
    const key = keyOf(object);
    // A write of the status alone: what it says was judged.
    if (before?.problem === '' && isSameSpec(before.object, object)) return { ...before, object };
    const { told, problems } = readObject(object, this.#context);
    const excess = told === undefined ? undefined : this.#excess(told, others);
    if (told !== undefined && excess === undefined) {
      this.#objects.set(told.document, told);
      return { key, object, inForce: told, problem: '' };
    }
    const problem = excess ?? problems.map(formatProblem).join('; ');
    // Of another object with the same name nothing is left.
    const isSame = before !== undefined && before.object.metadata.uid === object.metadata.uid;
    const inForce = isSame ? before.inForce : standIn(object, this.#context);
    if (inForce !== undefined) this.#objects.set(inForce.document, inForce);
    return { key, object, inForce, problem };
  }

  /** Why a namespace can't have this object too. */
  #excess(told: ToldObject, others: ReadonlyMap<string, KeptPolicy>): string | undefined {
    let objects = 1;
    let bytes = Buffer.byteLength(told.text);
    for (const { inForce, key } of others.values()) {
      if (inForce === undefined || key === told.key) continue;
      objects += 1;
      bytes += Buffer.byteLength(inForce.text);
    }
    const most = this.#limits;
    if (objects > most.objects)
      return `its namespace has more than ${most.objects} policies; write fewer, larger ones`;
    if (bytes > most.bytes)
      return `the policies of its namespace have more than ${most.bytes} bytes together`;
    return undefined;
  }

  #setOf(namespace: string): PolicySet {
    const compiled = this.#compiled.get(namespace);
    if (compiled !== undefined) return compiled;
    const { rootNamespace } = this.#context;
    const documents = [...new Set([rootNamespace, namespace])].flatMap((each) =>
      Array.from(this.#byNamespace.get(each)?.values() ?? [], ({ inForce }) => inForce?.document),
    );
    const set = compilePolicySet(
      documents.filter((document) => document !== undefined),
      this.#context,
      1,
      [],
    );
    this.#compiled.set(namespace, set);
    return set;
  }

  #changed(namespace: string): void {
    const isRoot = namespace === this.#context.rootNamespace;
    if (isRoot) this.#compiled.clear();
    else this.#compiled.delete(namespace);
    for (const listener of this.#listeners) listener(isRoot ? undefined : namespace);
  }
}

/** Each change of a spec has a generation of its own. */
function isSameSpec({ metadata: a }: StoredPolicy, { metadata: b }: StoredPolicy): boolean {
  return a.uid === b.uid && a.generation !== undefined && a.generation === b.generation;
}

/** Which of them holds is the sidecar's to say; here nothing is decided. */
const NO_DEFAULTS: PolicyDefaults = { tlsMode: 'Strict', unselected: 'Deny' };
