import type * as z from 'zod';
import type { Path } from './problem.ts';

/** A mistake that a schema found, as a sentence for people. Fields that say their own rule keep it. */
export function sayIssue(issue: z.core.$ZodIssue, path: Path): string {
  const last = path.at(-1);
  const field =
    last === undefined ? 'the file' : typeof last === 'number' ? `item ${last + 1}` : String(last);
  if (issue.code !== 'invalid_type') return `${field}: ${issue.message}`;
  if (issue.input === undefined) return `${field} is missing`;
  if (!issue.message.startsWith('Invalid input'))
    return `${field}: ${issue.message}, not ${kindOf(issue.input)}`;
  return `${field} is ${EXPECTED[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map of names',
};

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

/** ` (did you mean NAME?)` if one of `names` is near to what was written, else nothing. */
export function suggestion(written: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, distance: distance(written, name) }))
    .filter((candidate) => candidate.distance <= Math.max(1, Math.floor(candidate.name.length / 3)))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : ` (did you mean ${near.name}?)`;
}

/** Levenshtein's distance: the least number of letters to insert, remove or replace. */
function distance(a: string, b: string): number {
  const tooLong = Math.max(a.length, b.length) > LONGEST_NAME;
  if (tooLong || Math.abs(a.length - b.length) > FARTHEST) return FARTHEST + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const FARTHEST = 8;
/** No name that anybody meant is longer, and the work grows with the square. */
const LONGEST_NAME = 255;
