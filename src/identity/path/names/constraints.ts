import { err, ok, type Result } from '#runtime';
import type { NameConstraints } from '../../x509/extensions/name-constraints.ts';
import type { GeneralName } from '../../x509/general-name.ts';
import { type Base, type ConstrainedKind, constrainedKind, nameText, parseBase } from './comparable.ts';

export interface Subtree {
  readonly base: Base;
  /** As the CA wrote it, for messages. */
  readonly text: string;
}

export type Subtrees = Readonly<Record<ConstrainedKind, readonly Subtree[]>>;

/** nameConstraints, sorted by kind. */
export interface Constraints {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
  /** Kinds that are constrained and that nothing here can compare. */
  readonly others: ReadonlySet<GeneralName['type']>;
}

/** The same for the same extension: CAs are judged with every chain below them. */
export function readConstraints(constraints: NameConstraints): Result<Constraints, string> {
  const known = KNOWN.get(constraints);
  if (known !== undefined) return known;
  const result = sorted(constraints);
  KNOWN.set(constraints, result);
  return result;
}

const KNOWN = new WeakMap<NameConstraints, Result<Constraints, string>>();

function sorted({ permitted, excluded }: NameConstraints): Result<Constraints, string> {
  const others = new Set<GeneralName['type']>();
  for (const name of [...permitted, ...excluded]) {
    if (constrainedKind(name) === undefined) others.add(name.type);
    else if (parseBase(name) === undefined)
      return err(`its nameConstraints have ${nameText(name)}, no base of kind "${name.type}"`);
  }
  return ok({ permitted: subtrees(permitted), excluded: subtrees(excluded), others });
}

function subtrees(names: readonly GeneralName[]): Subtrees {
  const found: Record<ConstrainedKind, Subtree[]> = { dns: [], ip: [], email: [], uri: [], directory: [] };
  for (const name of names) {
    const base = parseBase(name);
    if (base !== undefined) found[base.kind].push({ base, text: nameText(name) });
  }
  return found;
}
