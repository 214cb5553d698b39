import { type PolicyProblem, problemAt } from '../crd/problem.ts';
import type { MeshPolicy, MeshTls, PolicyContext, PolicyDocument, Target, TlsMode } from '../model.ts';
import { isImpossible } from './impossible.ts';

/** Mistakes and warnings that no document shows alone. */
export function checkDocuments(
  documents: readonly PolicyDocument[],
  context: PolicyContext,
): readonly PolicyProblem[] {
  return [
    ...duplicates(documents),
    ...documents.flatMap((document) => unreachableTarget(document, context)),
    ...documents.flatMap((document) =>
      document.kind === 'MeshPolicy' ? impossibleEntries(document, context) : [],
    ),
    ...tlsTies(documents.filter((document) => document.kind === 'MeshTLS')),
  ];
}

/** An object's kind, namespace and name are its identity: of two with the same, a cluster would have only the later. */
function duplicates(documents: readonly PolicyDocument[]): readonly PolicyProblem[] {
  const first = new Map<string, PolicyDocument>();
  const problems: PolicyProblem[] = [];
  for (const document of documents) {
    const title = titleOf(document);
    const before = first.get(title);
    if (before === undefined) first.set(title, document);
    else {
      const message = `has the name of another ${document.kind}, which stands at ${before.file}:${before.place.name.line}`;
      problems.push(problemFor(document, 'error', document.place.name, 'metadata.name', message));
    }
  }
  return problems;
}

/** In the root namespace a service account's name could mean one there or one anywhere, so neither is guessed. */
function unreachableTarget(
  document: PolicyDocument,
  { rootNamespace }: PolicyContext,
): readonly PolicyProblem[] {
  const { metadata, spec, place } = document;
  if (metadata.namespace !== rootNamespace || spec.target.kind !== 'ServiceAccount') return [];
  const message =
    `names a service account, but ${rootNamespace} is the root namespace, whose policies hold for the whole mesh; ` +
    'put the policy into the namespace of the service account, or use a selector';
  return [problemFor(document, 'error', place.target, 'spec.targetRef', message)];
}

function impossibleEntries(document: MeshPolicy, context: PolicyContext): readonly PolicyProblem[] {
  return document.spec.rules.flatMap(({ from, place }, rule) =>
    from.flatMap((match, entry) => {
      if (!isImpossible(match, context)) return [];
      const field = `spec.rules[${rule}].from[${entry}]`;
      const message =
        'asks for an identity that nobody can have: its fields must all hold; for one or the other write two entries';
      return [problemFor(document, 'warning', place.from, field, message)];
    }),
  );
}

/** Two MeshTLS of one level that may select the same workload and disagree: the strictest wins, but was it meant? */
function tlsTies(documents: readonly MeshTls[]): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  /** Who says what of one port (or of all) in one namespace: only those who say something else are looked through. */
  const said = new Map<string, MeshTls[]>();
  for (const document of documents) {
    const statements = statementsOf(document);
    const other = statements
      .flatMap(({ about, mode }) =>
        MODES.filter((one) => one !== mode).map((one) => said.get(`${about} ${one}`) ?? []),
      )
      .map((others) => others.find((one) => mayOverlap(one.spec.target, document.spec.target)))
      .find((one) => one !== undefined);
    for (const { about, mode } of statements) {
      const key = `${about} ${mode}`;
      const before = said.get(key);
      if (before === undefined) said.set(key, [document]);
      else before.push(document);
    }
    if (other === undefined) continue;
    const message =
      `may hold for the same workload as ${titleOf(other)} (${other.file}:${other.place.name.line}) and says another mode; ` +
      'where both do, the strictest of the two wins';
    problems.push(problemFor(document, 'warning', document.place.mode, 'spec', message));
  }
  return problems;
}

const MODES: readonly TlsMode[] = ['Strict', 'Permissive', 'Disabled'];

/** A port's entry goes before a mode, so only like is compared with like. */
function statementsOf({ metadata: { namespace }, spec }: MeshTls): readonly {
  readonly about: string;
  readonly mode: TlsMode;
}[] {
  return [
    ...(spec.mode === undefined ? [] : [{ about: `${namespace} *`, mode: spec.mode }]),
    ...spec.ports.map(({ port, mode }) => ({ about: `${namespace} ${port}`, mode })),
  ];
}

function mayOverlap(a: Target, b: Target): boolean {
  if (a.kind === 'Namespace' || b.kind === 'Namespace') return a.kind === b.kind;
  if (a.kind === 'ServiceAccount' && b.kind === 'ServiceAccount') return a.name === b.name;
  if (a.kind === 'Labels' && b.kind === 'Labels') {
    for (const key in a.labels) {
      if (Object.hasOwn(b.labels, key) && b.labels[key] !== a.labels[key]) return false;
    }
  }
  return true;
}

function titleOf({ kind, metadata }: PolicyDocument): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

function problemFor(
  document: PolicyDocument,
  severity: PolicyProblem['severity'],
  position: { readonly line: number; readonly column: number },
  field: string,
  message: string,
): PolicyProblem {
  return problemAt(document.file, position, message, { severity, field, document: titleOf(document) });
}
