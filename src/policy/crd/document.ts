import { printable } from '#runtime';
import { LIMITS } from '../limits.ts';
import { API_VERSION, type PolicyDocument } from '../model.ts';
import { toProblems } from './issues.ts';
import { positionOf } from './locate.ts';
import { meshPolicySchema, toMeshPolicy } from './mesh-policy.ts';
import { meshTlsSchema, toMeshTls } from './mesh-tls.ts';
import { nearestWord } from './nearest-word.ts';
import { type PolicyProblem, problemAt } from './problem.ts';
import { type Located, readYaml } from './yaml.ts';

/** What one file says. */
export interface ReadDocuments {
  readonly documents: readonly PolicyDocument[];
  readonly problems: readonly PolicyProblem[];
}

/** Reads every document of one file, frozen; a file in which nothing stands is a mistake, since it may be half written. */
export function readDocuments(path: string, text: string): ReadDocuments {
  // Decisions and suggestions show it.
  const file = printable(path);
  const yaml = readYaml(file, text);
  const problems = [...yaml.problems];
  const documents: PolicyDocument[] = [];
  if (yaml.documents.length === 0 && problems.length === 0) {
    problems.push(
      problemAt(file, { line: 1, column: 1 }, 'holds no document; delete the file if that is meant'),
    );
  }
  for (const located of yaml.documents) {
    if (problems.length > LIMITS.problemsPerFile) break;
    const read = readDocument(file, located);
    documents.push(...read.documents.map(deepFreeze));
    problems.push(...read.problems);
  }
  return { documents, problems: bounded(file, problems.sort(byPlace)) };
}

function readDocument(file: string, located: Located): ReadDocuments {
  const refuse = (path: readonly string[], message: string): ReadDocuments => ({
    documents: [],
    problems: [problemAt(file, positionOf(located, path), message, { document: titleOf(located) })],
  });
  const { apiVersion, kind } = headOf(located);
  if (located.fields.size === 0)
    return refuse([], 'is not a mapping with apiVersion, kind, metadata and spec');
  if (apiVersion !== API_VERSION) {
    const found = apiVersion === undefined ? 'is missing' : `is ${JSON.stringify(apiVersion)}`;
    return refuse(['apiVersion'], `apiVersion ${found}; policy files hold only ${API_VERSION}`);
  }
  if (kind === 'MeshPolicy') {
    const parsed = meshPolicySchema.safeParse(located.value);
    if (parsed.success) return { documents: [toMeshPolicy(file, located, parsed.data)], problems: [] };
    return {
      documents: [],
      problems: toProblems(file, titleOf(located), located, meshPolicySchema, parsed.error.issues),
    };
  }
  if (kind === 'MeshTLS') {
    const parsed = meshTlsSchema.safeParse(located.value);
    if (parsed.success) return { documents: [toMeshTls(file, located, parsed.data)], problems: [] };
    return {
      documents: [],
      problems: toProblems(file, titleOf(located), located, meshTlsSchema, parsed.error.issues),
    };
  }
  return refuse(['kind'], unknownKind(kind));
}

const KINDS = ['MeshPolicy', 'MeshTLS'];

function unknownKind(kind: string | undefined): string {
  if (kind === undefined) return `kind is missing; known are: ${KINDS.join(', ')}`;
  const nearest = nearestWord(kind, KINDS);
  const advice = nearest === undefined ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
  return `kind ${JSON.stringify(kind)} is not known${advice} (known are: ${KINDS.join(', ')})`;
}

function headOf(located: Located): {
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
} {
  return { apiVersion: textOf(located, ['apiVersion']), kind: textOf(located, ['kind']) };
}

function titleOf(located: Located): string | undefined {
  const kind = textOf(located, ['kind']);
  const name = textOf(located, ['metadata', 'name']);
  if (kind === undefined || name === undefined) return undefined;
  return `${kind} ${textOf(located, ['metadata', 'namespace']) ?? '?'}/${name}`;
}

function textOf(located: Located, path: readonly string[]): string | undefined {
  let at: Located | undefined = located;
  for (const step of path) at = at?.fields.get(step)?.located;
  return typeof at?.value === 'string' ? at.value : undefined;
}

function byPlace(a: PolicyProblem, b: PolicyProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function bounded(file: string, problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  if (problems.length <= LIMITS.problemsPerFile) return problems;
  return [
    ...problems.slice(0, LIMITS.problemsPerFile),
    problemAt(file, undefined, 'has more mistakes than these'),
  ];
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
