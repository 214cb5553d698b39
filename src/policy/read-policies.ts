import { checkDocuments } from './compile/check.ts';
import { compilePolicySet, type PolicyPath, type PolicySet } from './compile/policy-set.ts';
import { readDocuments } from './crd/document.ts';
import type { PolicyProblem } from './crd/problem.ts';
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
  const documents = read.flatMap((one) => one.documents);
  const problems = [...read.flatMap((one) => one.problems), ...checkDocuments(documents, context)];
  if (problems.some(({ severity }) => severity === 'error')) return { set: undefined, problems };
  return { set: compilePolicySet(documents, context, epoch, paths), problems };
}
