import { err, ok, type Result } from '#runtime';

/** What a reader found wrong. `offset` is the byte, counted from the start of the certificate or request. */
export interface X509Problem {
  readonly kind: 'malformed' | 'unsupported-key' | 'weak-key';
  readonly offset: number;
  readonly what: string;
}

/** The one error inside the readers; it never leaves `reading`. */
export class X509Error extends Error implements X509Problem {
  readonly kind: X509Problem['kind'];
  readonly offset: number;
  readonly what: string;

  constructor(offset: number, what: string, kind: X509Problem['kind'] = 'malformed') {
    super(`at byte ${offset}: ${what}`);
    this.name = 'X509Error';
    this.kind = kind;
    this.offset = offset;
    this.what = what;
  }
}

/** Runs a reader and makes its refusal a value. Any other error is a fault of ours and goes on. */
export function reading<T>(read: () => T): Result<T, X509Problem> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof X509Error) return err({ kind: error.kind, offset: error.offset, what: error.what });
    throw error;
  }
}

export function problemText(problem: X509Problem): string {
  return `at byte ${problem.offset}: ${problem.what}`;
}
