import type { Position } from '../model.ts';

/** One mistake in a file, or one thing in it that is worth knowing. An error keeps the whole set out; a warning doesn't. */
export interface PolicyProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1; undefined when the file as a whole is meant. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** `MeshPolicy shop/orders-callers`, as far as the document says so. */
  readonly document: string | undefined;
  /** `spec.rules[0].from[1].cidrs[0]`; undefined where no field is meant. */
  readonly field: string | undefined;
  readonly message: string;
}

/** One line: `file:line:column: error: field: message (document)`. */
export function formatProblem(problem: PolicyProblem): string {
  const { severity, file, line, column, document, field, message } = problem;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return [place, severity, ...(field === undefined ? [] : [field]), message]
    .join(': ')
    .concat(document === undefined ? '' : ` (${document})`);
}

export function problemAt(
  file: string,
  position: Position | undefined,
  message: string,
  rest: Partial<PolicyProblem> = {},
): PolicyProblem {
  return {
    severity: 'error',
    file,
    line: position?.line,
    column: position?.column,
    document: undefined,
    field: undefined,
    message,
    ...rest,
  };
}
