import { printable } from '#runtime';
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

/** Whatever stands in a file or its name can be shown on a terminal and in a log: what they would act on is escaped. */
export function problemAt(
  file: string,
  position: Position | undefined,
  message: string,
  rest: Partial<Pick<PolicyProblem, 'severity' | 'document' | 'field'>> = {},
): PolicyProblem {
  const { severity = 'error', document, field } = rest;
  return {
    severity,
    file: printable(file),
    line: position?.line,
    column: position?.column,
    document: document === undefined ? undefined : printable(document),
    field: field === undefined ? undefined : printable(field),
    message: printable(message),
  };
}
