import { type PolicyContext, type PolicyObject, readObject, type ToldObject } from '#policy';

/** An object as the API server has it. */
export interface StoredPolicy extends PolicyObject {
  readonly metadata: PolicyObject['metadata'] & {
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
  };
  /** As somebody wrote it, by this schema. */
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
    readonly wouldDeny?: { readonly total?: number };
    readonly plaintextPeers?: { readonly total?: number };
  };
}

/**
 * What holds in place of an object that can't be read and of which no good version is known, since this controller began
 * after it. One that never was in force has nothing in its place, as if it had been refused. Otherwise what it said is
 * lost, and it may have kept somebody out: so nobody is let in by its absence.
 */
export function standIn(object: StoredPolicy, context: PolicyContext): ToldObject | undefined {
  if (!mayHaveBeenInForce(object)) return undefined;
  const spec = closed(object);
  if (spec === undefined) return undefined;
  for (const target of [targetOf(object), {}]) {
    const { told } = readObject({ ...object, spec: { ...target, ...spec } }, context);
    if (told !== undefined) return told;
  }
  return undefined;
}

function mayHaveBeenInForce({ metadata: { generation = 1 }, status }: StoredPolicy): boolean {
  const wasAccepted = status?.conditions?.some(
    ({ type, status: is }) => type === 'Accepted' && is === 'True',
  );
  return generation > 1 || wasAccepted === true;
}

/** Undefined: it decided nothing. */
function closed({ kind, spec }: StoredPolicy): object | undefined {
  if (kind === 'MeshTLS') return { mode: 'Strict' };
  const { action, enforcement } = (spec ?? {}) as {
    readonly action?: unknown;
    readonly enforcement?: unknown;
  };
  if (enforcement === 'Shadow') return undefined;
  if (action === 'Allow') return { action: 'Allow', rules: [] };
  return { action: 'Deny', rules: [{ from: [{ peer: 'Any' }] }] };
}

function targetOf({ spec }: StoredPolicy): object {
  const { targetRef, selector } = (spec ?? {}) as {
    readonly targetRef?: unknown;
    readonly selector?: unknown;
  };
  return {
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(selector === undefined ? {} : { selector }),
  };
}
