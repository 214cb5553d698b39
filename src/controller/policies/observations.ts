import { parseSpiffeId } from '#identity';
import { formatAddress, parseAddress, type Workload } from '#policy';
import type { DiscoveryRequest__Output } from '#rpc';
import type { Clock } from '#runtime';
import type { ClusterPolicies, Share } from './cluster-policies.ts';

export type Report = NonNullable<DiscoveryRequest__Output['report']>;

/** How often one caller was seen, and by whom: a row of a status. */
export interface Sighting {
  /** A SPIFFE ID or an address; `others`: several. */
  readonly caller: string;
  /** `namespace/name` of the pod that says so. */
  readonly workload: string;
  readonly port: number;
  /** Of the policy's rules, from 0; undefined: none. */
  readonly rule: number | undefined;
  count: number;
  /** Milliseconds since the Unix epoch. */
  lastSeen: number;
}

export interface Seen {
  readonly total: number;
  /** Newest first, and of each workload its newest before the second of another. */
  readonly rows: readonly Sighting[];
  readonly lastSeen: number;
}

/** What is kept for one object. A sidecar that makes up callers crowds out its own rows, never those of others. */
const LIMITS = { rowsInReport: 256, workloads: 200, rowsOfWorkload: 20, count: 1_000_000_000 } as const;
const OTHERS = 'others';
const MOST_PORT = 65_535;

interface Kept {
  /** Of the object that was seen: another begins anew. */
  readonly generation: number | undefined;
  total: number;
  lastSeen: number;
  readonly byWorkload: Map<string, Map<string, Sighting>>;
}

/**
 * What sidecars say they saw, by the object that it is about. Each can speak only of objects that it was told, and only in
 * the name of its own pod, which its certificate proves; what it says of them it may invent, so every row says who said it.
 */
export class Observations {
  readonly #policies: ClusterPolicies;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Set<(key: string) => void>();

  constructor(policies: ClusterPolicies, clock: Clock) {
    this.#policies = policies;
    this.#clock = clock;
    policies.subscribe(() => this.#forgetRemoved());
  }

  /** Takes in what can be true; the rest is left out. */
  take(workload: Workload, share: Share, { plaintext, wouldDeny }: Report): void {
    const touched = new Set<string>();
    for (const { caller, count, key, port, rule } of wouldDeny.slice(0, LIMITS.rowsInReport)) {
      const document = share.objects.get(key)?.document;
      if (document?.kind !== 'MeshPolicy' || document.spec.enforcement !== 'Shadow') continue;
      if (rule > document.spec.rules.length) continue;
      const named = callerOf(caller);
      if (named === undefined || !isSane(port, count)) continue;
      this.#count(key, workload, { caller: named, port, rule: rule === 0 ? undefined : rule - 1, count });
      touched.add(key);
    }
    for (const { address, passed, port, refused } of plaintext.slice(0, LIMITS.rowsInReport)) {
      const named = address === '' ? OTHERS : addressOf(address);
      const count = passed + refused;
      if (named === undefined || !isSane(port, count)) continue;
      const key = this.#policies.tlsKeyOf(workload, port);
      if (key === undefined) continue;
      this.#count(key, workload, { caller: named, port, rule: undefined, count });
      touched.add(key);
    }
    for (const key of touched) for (const listener of this.#listeners) listener(key);
  }

  /** Undefined: nothing was seen since this controller began. */
  of(key: string): Seen | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.generation !== this.#generationOf(key)) return undefined;
    const ranks = [...kept.byWorkload.values()].map((rows) => [...rows.values()].sort(byTime));
    const rows = Array.from({ length: LIMITS.rowsOfWorkload }, (_, rank) =>
      ranks
        .map((ranked) => ranked[rank])
        .filter((row) => row !== undefined)
        .sort(byTime),
    ).flat();
    return { total: kept.total, rows, lastSeen: kept.lastSeen };
  }

  /** Told the key of each object that something was seen of. */
  subscribe(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #count(
    key: string,
    { namespace, name }: Workload,
    { caller, port, rule, count }: Pick<Sighting, 'caller' | 'port' | 'rule' | 'count'>,
  ): void {
    const now = this.#clock.now();
    const known = this.#kept.get(key);
    const kept =
      known?.generation === this.#generationOf(key) && known !== undefined ? known : this.#begin(key);
    this.#kept.set(key, kept);
    kept.total = Math.min(kept.total + count, Number.MAX_SAFE_INTEGER);
    kept.lastSeen = now;
    const workload = `${namespace}/${name}`;
    const rows = kept.byWorkload.get(workload) ?? new Map<string, Sighting>();
    if (rows.size === 0 && kept.byWorkload.size >= LIMITS.workloads) {
      // The one that was heard longest ago: Map keeps the order in which they were heard.
      const [oldest] = kept.byWorkload.keys();
      if (oldest !== undefined) kept.byWorkload.delete(oldest);
    }
    kept.byWorkload.delete(workload);
    kept.byWorkload.set(workload, rows);
    const id = JSON.stringify([caller, port, rule]);
    const row = rows.get(id) ?? { caller, workload, port, rule, count: 0, lastSeen: now };
    row.count = Math.min(row.count + count, Number.MAX_SAFE_INTEGER);
    row.lastSeen = now;
    rows.delete(id);
    rows.set(id, row);
    const [stalest] = rows.keys();
    if (rows.size > LIMITS.rowsOfWorkload && stalest !== undefined) rows.delete(stalest);
  }

  /** A controller that begins goes on from what its predecessor wrote. */
  #begin(key: string): Kept {
    const generation = this.#generationOf(key);
    const { observedGeneration, plaintextPeers, wouldDeny } = this.#policies.find(key)?.object.status ?? {};
    const written = observedGeneration === generation ? (wouldDeny ?? plaintextPeers)?.total : undefined;
    const total = Number.isSafeInteger(written) ? Math.max(written ?? 0, 0) : 0;
    return { generation, total, lastSeen: 0, byWorkload: new Map() };
  }

  #generationOf(key: string): number | undefined {
    return this.#policies.find(key)?.object.metadata.generation;
  }

  #forgetRemoved(): void {
    for (const key of this.#kept.keys()) if (this.#policies.find(key) === undefined) this.#kept.delete(key);
  }
}

function isSane(port: number, count: number): boolean {
  return port >= 1 && port <= MOST_PORT && Number.isSafeInteger(count) && count >= 1 && count <= LIMITS.count;
}

/** Undefined: it names nobody. */
function callerOf(text: string): string | undefined {
  if (text === '') return OTHERS;
  const id = parseSpiffeId(text);
  return id.ok ? id.value.toString() : addressOf(text);
}

function addressOf(text: string): string | undefined {
  const words = parseAddress(text);
  return words === undefined ? undefined : formatAddress(words);
}

function byTime(a: Sighting, b: Sighting): number {
  return b.lastSeen - a.lastSeen;
}
