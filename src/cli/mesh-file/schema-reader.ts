import type * as z from 'zod';
import type { Path, Problem, Source } from './problem.ts';
import { sayIssue, suggestion } from './say-issue.ts';

/** Checks parts of a file against schemas and collects every mistake with its place. */
export class SchemaReader {
  readonly problems: Problem[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The parsed value; undefined if it has mistakes, which are in `problems` then. */
  check<Schema extends z.ZodType>(schema: Schema, value: unknown, path: Path): z.output<Schema> | undefined {
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return result.data;
    const fields = Object.keys((schema as { shape?: object }).shape ?? {});
    for (const issue of result.error.issues) this.#report(issue, path, fields);
    return undefined;
  }

  #report(issue: z.core.$ZodIssue, above: Path, fields: readonly string[]): void {
    const path = [...above, ...issue.path];
    const inner = issue.code === 'invalid_union' ? insideOf(issue) : [];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const say = `unknown field ${key}${suggestion(key, fields)}`;
        this.problems.push(this.#source.keyProblem([...path, key], say));
      }
    } else if (issue.code === 'invalid_key') {
      this.problems.push(this.#source.keyProblem(path, issue.issues[0]?.message ?? issue.message));
    } else if (inner.length > 0) {
      for (const issue of inner) this.#report(issue, path, []);
    } else {
      this.problems.push(this.#source.problem(path, sayIssue(issue, path)));
    }
  }
}

/** Of several allowed forms, the mistakes in the one that was meant: the one that fails not as a whole but inside. */
function insideOf(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] {
  return (
    issue.errors.find((form) =>
      form.every((fault) => fault.code !== 'invalid_type' || fault.path.length > 0),
    ) ?? []
  );
}
