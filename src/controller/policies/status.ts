import { printable } from '#runtime';
import type { KeptPolicy } from './cluster-policies.ts';
import type { Seen } from './observations.ts';

/** Rows of a list in a status; the total beside it counts them all. */
const MOST_ROWS = 20;
const LONGEST_MESSAGE = 1_024;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export interface Status {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly [field: string]: unknown;
}

export interface StatusFacts {
  readonly seen: Seen | undefined;
  /** `name.namespace` of the pod that an address is, if that is known. */
  readonly nameOf: (address: string) => string | undefined;
  /** Of a MeshTLS that admits plaintext; undefined: of others. */
  readonly readyForStrict: boolean | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** What should stand in an object's status. What was not seen since the controller began stays as it is written. */
export function statusOf(kept: KeptPolicy, { nameOf, now, readyForStrict, seen }: StatusFacts): Status {
  const { object, inForce } = kept;
  const before = (object.status ?? {}) as Partial<Status>;
  const conditions = [acceptedOf(kept, before, now), ...othersOf(before)];
  const observedGeneration = object.metadata.generation ?? 0;
  const status: Record<string, unknown> = { ...before };
  if (before.observedGeneration !== observedGeneration) {
    delete status.wouldDeny;
    delete status.plaintextPeers;
  }
  delete status.readyForStrict;
  if (readyForStrict !== undefined) status.readyForStrict = readyForStrict;
  const shown = seen?.rows.slice(0, MOST_ROWS) ?? [];
  if (seen !== undefined && inForce?.document.kind === 'MeshPolicy') {
    const callers = shown.map(({ lastSeen, rule, ...row }) => ({
      ...row,
      ...(rule === undefined ? {} : { rule }),
      lastSeen: timeOf(lastSeen),
    }));
    status.wouldDeny = { total: seen.total, callers };
  }
  if (seen !== undefined && inForce?.document.kind === 'MeshTLS') {
    const peers = shown.map(({ caller, count, lastSeen, port, workload }) => {
      const name = nameOf(caller);
      const row = { address: caller, ...(name === undefined ? {} : { name }), workload, port, count };
      return { ...row, lastSeen: timeOf(lastSeen) };
    });
    status.plaintextPeers = { total: seen.total, peers };
  }
  return { ...status, observedGeneration, conditions };
}

/** The same, whatever the order of fields, as the API server gives them back in its own. */
export function isSameStatus(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function acceptedOf(
  { object, inForce, problem }: KeptPolicy,
  before: Partial<Status>,
  now: number,
): Condition {
  const status = problem === '' ? 'True' : 'False';
  const instead =
    inForce === undefined
      ? 'Nothing holds in its place.'
      : 'The version before it stays in force, or, where that is not known any more, what opens nothing.';
  const last = before.conditions?.find(({ type }) => type === ACCEPTED);
  return {
    type: ACCEPTED,
    status,
    reason: problem === '' ? 'InForce' : 'Invalid',
    message:
      problem === ''
        ? 'It is in force as it is written.'
        : `${printable(problem).slice(0, LONGEST_MESSAGE)} ${instead}`,
    observedGeneration: object.metadata.generation ?? 0,
    lastTransitionTime: last?.status === status ? last.lastTransitionTime : timeOf(now),
  };
}

/** The conditions of others are theirs. */
function othersOf({ conditions = [] }: Partial<Status>): readonly Condition[] {
  return conditions.filter(({ type }) => type !== ACCEPTED);
}

const ACCEPTED = 'Accepted';

/** As meta/v1 Time has it: whole seconds. */
function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
