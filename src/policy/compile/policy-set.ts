import type { PolicySource, Workload } from '../decision.ts';
import { hasLabels } from '../match/condition.ts';
import { type CompiledRule, compileRule } from '../match/rule.ts';
import type { MeshPolicy, MeshTls, PolicyContext, PolicyDocument, Target } from '../model.ts';

/** A policy ready to be asked. */
export interface CompiledPolicy {
  readonly source: PolicySource;
  readonly document: MeshPolicy;
  readonly rules: readonly CompiledRule[];
}

/** A file or directory as the operator named it. */
export interface PolicyPath {
  readonly path: string;
  readonly directory: boolean;
}

/** What holds for one workload. */
export interface Selection {
  readonly denies: readonly CompiledPolicy[];
  readonly allows: readonly CompiledPolicy[];
  readonly shadows: readonly CompiledPolicy[];
  /** The MeshTLS that select it, most specific level first. */
  readonly tls: readonly (readonly MeshTls[])[];
}

/** All policies of one moment, indexed by workload. Immutable; a change makes another set with a greater epoch. */
export interface PolicySet {
  readonly epoch: number;
  readonly context: PolicyContext;
  /** By namespace, kind and name, whatever the order in which they were read. */
  readonly documents: readonly PolicyDocument[];
  /** What was named to be read, for "add a policy here". */
  readonly paths: readonly PolicyPath[];
  /** Remembered for each workload object, so a connection costs no search. */
  select(workload: Workload): Selection;
}

/** Documents whose kind, namespace and name are unique (`readPolicies` sees to that). */
export function compilePolicySet(
  documents: readonly PolicyDocument[],
  context: PolicyContext,
  epoch: number,
  paths: readonly PolicyPath[],
): PolicySet {
  const sorted = [...documents].sort(byName);
  const policies = new NamespaceIndex(
    sorted.filter((document) => document.kind === 'MeshPolicy').map((document) => compile(document, context)),
    ({ document }) => document,
  );
  const tls = new NamespaceIndex(
    sorted.filter((document) => document.kind === 'MeshTLS'),
    (document) => document,
  );
  const selections = new WeakMap<Workload, Selection>();
  const select = (workload: Workload): Selection => {
    const remembered = selections.get(workload);
    if (remembered !== undefined) return remembered;
    const selection = selectionOf(workload, policies, tls, context.rootNamespace);
    selections.set(workload, selection);
    return selection;
  };
  return Object.freeze({ epoch, context, documents: Object.freeze(sorted), paths, select });
}

export function sourceOf({ kind, metadata, file, place }: PolicyDocument): PolicySource {
  return Object.freeze({
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    file,
    line: place.name.line,
  });
}

function compile(document: MeshPolicy, { trustDomain }: PolicyContext): CompiledPolicy {
  return {
    source: sourceOf(document),
    document,
    rules: document.spec.rules.map((rule) => compileRule(rule, trustDomain)),
  };
}

function selectionOf(
  workload: Workload,
  policies: NamespaceIndex<CompiledPolicy>,
  tls: NamespaceIndex<MeshTls>,
  rootNamespace: string,
): Selection {
  const local = policies.of(workload.namespace, workload);
  const root = workload.namespace === rootNamespace ? NOTHING : policies.of(rootNamespace, workload);
  const chosen = [...root.wide, ...root.labels, ...local.wide, ...local.labels, ...local.account];
  const enforced = chosen.filter(({ document }) => document.spec.enforcement === 'Enforce');
  const near = tls.of(workload.namespace, workload);
  const far = workload.namespace === rootNamespace ? NOTHING : tls.of(rootNamespace, workload);
  return {
    denies: enforced.filter(({ document }) => document.spec.action === 'Deny'),
    allows: enforced.filter(({ document }) => document.spec.action === 'Allow'),
    shadows: chosen.filter(({ document }) => document.spec.enforcement === 'Shadow'),
    tls: [[...near.account, ...near.labels], far.labels, near.wide, far.wide],
  };
}

interface Chosen<T> {
  readonly wide: readonly T[];
  readonly labels: readonly T[];
  readonly account: readonly T[];
}

const NOTHING: Chosen<never> = { wide: [], labels: [], account: [] };

interface Bucket<T> {
  readonly wide: T[];
  readonly labels: { readonly wanted: readonly (readonly [string, string])[]; readonly item: T }[];
  readonly accounts: Map<string, T[]>;
}

/** Documents by namespace and target. A service account is named within its namespace only. */
class NamespaceIndex<T> {
  readonly #buckets = new Map<string, Bucket<T>>();

  constructor(items: readonly T[], document: (item: T) => PolicyDocument) {
    for (const item of items) {
      const { metadata, spec } = document(item);
      this.#add(metadata.namespace, spec.target, item);
    }
  }

  of(namespace: string, workload: Workload): Chosen<T> {
    const bucket = this.#buckets.get(namespace);
    if (bucket === undefined) return NOTHING;
    return {
      wide: bucket.wide,
      labels: bucket.labels
        .filter(({ wanted }) => hasLabels(workload.labels, wanted))
        .map(({ item }) => item),
      account: namespace === workload.namespace ? (bucket.accounts.get(workload.serviceAccount) ?? []) : [],
    };
  }

  #add(namespace: string, target: Target, item: T): void {
    const bucket = this.#buckets.get(namespace) ?? { wide: [], labels: [], accounts: new Map<string, T[]>() };
    this.#buckets.set(namespace, bucket);
    if (target.kind === 'Namespace') bucket.wide.push(item);
    else if (target.kind === 'Labels') bucket.labels.push({ wanted: Object.entries(target.labels), item });
    else {
      const items = bucket.accounts.get(target.name);
      if (items === undefined) bucket.accounts.set(target.name, [item]);
      else items.push(item);
    }
  }
}

function byName(a: PolicyDocument, b: PolicyDocument): number {
  return (
    compare(a.metadata.namespace, b.metadata.namespace) ||
    compare(a.kind, b.kind) ||
    compare(a.metadata.name, b.metadata.name)
  );
}

/** By code unit: the same order on every machine, unlike localeCompare. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
