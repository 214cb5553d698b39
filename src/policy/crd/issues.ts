import * as z from 'zod';
import { LIMITS } from '../limits.ts';
import { type FieldPath, formatPath, positionOf, valueAt } from './locate.ts';
import { nearestWord } from './nearest-word.ts';
import { type PolicyProblem, problemAt } from './problem.ts';
import type { Located } from './yaml.ts';

/** What a schema found, as mistakes with their places; an issue about several unknown fields becomes one for each. */
export function toProblems(
  file: string,
  document: string | undefined,
  located: Located,
  schema: z.ZodType,
  found: readonly z.core.$ZodIssue[],
): readonly PolicyProblem[] {
  const issues = found.slice(0, ENOUGH);
  const problem = (path: FieldPath, message: string): PolicyProblem =>
    problemAt(file, positionOf(located, path), message, {
      document,
      field: path.length === 0 ? undefined : formatPath(path),
    });
  const misspelled = new Set<string>();
  const unknown = issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    const path = pathOf(issue);
    const at = schemaAt(schema, path);
    const known = at instanceof z.ZodObject ? Object.keys(at.shape) : [];
    return issue.keys.slice(0, ENOUGH).map((key) => {
      const hint = hintFor(key, at);
      const meant = nearestWord(key, known);
      if (hint === undefined && meant !== undefined) misspelled.add(formatPath([...path, meant]));
      return problem([...path, key], hint ?? `is not a field here; ${didYouMean(key, known)}`);
    });
  });
  const others = issues.flatMap((issue) => {
    const path = pathOf(issue);
    const value = valueAt(located, path);
    // "from is missing" beside "form is not a field here; did you mean from?" would be the same mistake twice.
    const said =
      issue.code === 'unrecognized_keys' || (value === undefined && misspelled.has(formatPath(path)));
    return said ? [] : [problem(path, sayIssue(issue, value))];
  });
  return [...unknown, ...others];
}

/** One more than is shown of a file, so that its reader can say that there are more. */
const ENOUGH = LIMITS.problemsPerFile + 1;

function pathOf(issue: z.core.$ZodIssue): FieldPath {
  return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function hintFor(key: string, schema: z.ZodType | undefined): string | undefined {
  const hints: unknown = schema?.meta()?.hints;
  if (typeof hints !== 'object' || hints === null || !Object.hasOwn(hints, key)) return undefined;
  const hint: unknown = Reflect.get(hints, key);
  return typeof hint === 'string' ? hint : undefined;
}

function didYouMean(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  const all = known.join(', ');
  return nearest === undefined
    ? `known are: ${all}`
    : `did you mean ${JSON.stringify(nearest)}? (known are: ${all})`;
}

function sayIssue(issue: z.core.$ZodIssue, found: Located | undefined): string {
  if (issue.code === 'custom' || issue.code === 'too_small' || issue.code === 'too_big') return issue.message;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (found === undefined) return 'is missing';
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    if (typeof found.value === 'string')
      return `is ${JSON.stringify(found.value)}, which is not known; ${didYouMean(found.value, known)}`;
    return `must be one of ${known.join(', ')}, not ${kindOf(found.value)}`;
  }
  if (issue.code === 'invalid_type') return sayType(issue.expected, found.value, issue.message);
  return issue.message;
}

function sayType(expected: string, value: unknown, message: string): string {
  const wanted = EXPECTED.get(expected);
  // A number where a whole number is expected: the schema's own words say more than the type.
  if (wanted === undefined || (expected === 'int' && typeof value === 'number')) return message;
  const quoting = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  return `must be ${wanted}, not ${kindOf(value)}${quoting ? `; write ${JSON.stringify(String(value))} in quotes` : ''}`;
}

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['array', 'a list'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
]);

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return { string: 'text', number: 'a number', boolean: 'a boolean' }[typeof value as string] ?? 'a mapping';
}

/** The part of a schema that holds for `path`, to know which fields stand there. */
function schemaAt(root: z.ZodType, path: FieldPath): z.ZodType | undefined {
  let at: unknown = unwrap(root);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = unwrap(at.shape[step]);
    else if (at instanceof z.ZodArray) at = unwrap(at.element);
    else return undefined;
  }
  return at instanceof z.ZodType ? at : undefined;
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? schema.unwrap() : schema;
}
