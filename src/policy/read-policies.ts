import { checkDocuments } from './compile/check.ts';
import { compilePolicySet, type PolicyPath, type PolicySet } from './compile/policy-set.ts';
import { type ReadDocuments, readDocuments } from './crd/document.ts';
import { type PolicyProblem, problemAt } from './crd/problem.ts';
import { LIMITS } from './limits.ts';
import type { PolicyContext } from './model.ts';

export interface PolicyFile {
  /** As the operator named it; what problems and decisions show. */
  readonly file: string;
  readonly text: string;
}

export interface ReadPolicies {
  /** Undefined when there is any error: a set is taken whole or not at all. */
  readonly set: PolicySet | undefined;
  /** Every error and warning of every file. */
  readonly problems: readonly PolicyProblem[];
}

/** Parses, checks and compiles the policies of all files together. Reads no file itself. */
export function readPolicies(
  files: readonly PolicyFile[],
  context: PolicyContext,
  epoch: number,
  paths: readonly PolicyPath[],
): ReadPolicies {
  const read = files.map(({ file, text }) => readDocuments(file, text));
  return together(files, read, context, epoch, paths);
}

/**
 * `readPolicies` for a process that has connections to serve: a file that says what it said the last time is not parsed
 * again, and after each one that is parsed the event loop gets its turn.
 */
export class PolicyReader {
  #remembered: ReadonlyMap<string, { readonly text: string; readonly read: ReadDocuments }> = new Map();

  async read(
    files: readonly PolicyFile[],
    context: PolicyContext,
    epoch: number,
    paths: readonly PolicyPath[],
  ): Promise<ReadPolicies> {
    const remembered = new Map<string, { readonly text: string; readonly read: ReadDocuments }>();
    const read: ReadDocuments[] = [];
    for (const { file, text } of files) {
      const before = this.#remembered.get(file);
      const known = before?.text === text ? before.read : undefined;
      const now = known ?? readDocuments(file, text);
      read.push(now);
      remembered.set(file, { text, read: now });
      if (known === undefined) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#remembered = remembered;
    return together(files, read, context, epoch, paths);
  }
}

function together(
  files: readonly PolicyFile[],
  read: readonly ReadDocuments[],
  context: PolicyContext,
  epoch: number,
  paths: readonly PolicyPath[],
): ReadPolicies {
  const documents = read.flatMap((one) => one.documents);
  const problems = read.flatMap((one) => one.problems);
  const [first] = files;
  if (documents.length > LIMITS.documents && first !== undefined) {
    const message = `and the other files have ${documents.length} documents; at most ${LIMITS.documents} are taken together`;
    return { set: undefined, problems: [...problems, problemAt(first.file, undefined, message)] };
  }
  const all = [...problems, ...checkDocuments(documents, context)];
  if (all.some(({ severity }) => severity === 'error')) return { set: undefined, problems: all };
  return { set: compilePolicySet(documents, context, epoch, paths), problems: all };
}
