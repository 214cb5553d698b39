import { stringify } from 'yaml';
import { formatProblem } from '../crd/problem.ts';
import { EMBEDDED_DEFAULTS, type PolicyContext, type PolicyDefaults } from '../model.ts';
import { readPolicies } from '../read-policies.ts';
import type { PolicySet } from '../compile/policy-set.ts';
import { ROOT_NAMESPACE, TRUST_DOMAIN } from './arbitraries.ts';

export function contextWith(defaults: PolicyDefaults = EMBEDDED_DEFAULTS): PolicyContext {
  return { defaults, trustDomain: TRUST_DOMAIN, rootNamespace: ROOT_NAMESPACE };
}

/** The set of one file, which must be good. */
export function setOf(text: string, defaults?: PolicyDefaults, file = 'policies.yaml'): PolicySet {
  const files = text.trim() === '' ? [] : [{ file, text }];
  const { set, problems } = readPolicies(files, contextWith(defaults), 1, [{ path: file, directory: false }]);
  if (set === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return set;
}

/** Plain documents as a file in block style. */
export function yamlOf(documents: readonly unknown[]): string {
  return documents.map((document) => `---\n${stringify(document, { version: '1.1' })}`).join('');
}

/** What is wrong with one file, a line each. */
export function problemsOf(text: string, file = 'policies.yaml'): readonly string[] {
  return readPolicies([{ file, text }], contextWith(), 1, []).problems.map(formatProblem);
}
