import { printable } from '#runtime';
import type { AlertName } from './alert.ts';

/** Whose fault a refusal is, so that an operator knows where to look first. */
export type Blame = 'peer' | 'local' | 'network' | 'operator';

/** One row of a table of reasons. `say` and `next` are sentences for people; `rfc` is document and section. */
export interface ReasonRow {
  /**
   * What the other side is told; undefined where nothing is sent (the transport is gone, or the peer ended it). Never
   * close_notify: the peer would take a refusal for the clean end of the data.
   */
  readonly alert: Exclude<AlertName, 'close_notify'> | undefined;
  readonly blame: Blame;
  readonly rfc: string;
  readonly say: string;
  readonly next: string;
}

export interface Reason extends ReasonRow {
  /** The stable code that logs, metrics, spans and docs carry. */
  readonly code: string;
}

/** Gives each row its key as `code`. Every folder that refuses something has one such table. */
export function reasonTable<const Rows extends Readonly<Record<string, ReasonRow>>>(
  rows: Rows,
): { readonly [Code in keyof Rows]: Reason & { readonly code: Code } } {
  const entries = Object.entries(rows).map(([code, row]) => [code, Object.freeze({ code, ...row })] as const);
  // Object.fromEntries forgets which key got which value; the mapping above is what the result type says.
  return Object.freeze(Object.fromEntries(entries)) as {
    readonly [Code in keyof Rows]: Reason & { readonly code: Code };
  };
}

/** The one error of TLS connections: a reason from a table, and what this case adds to it. Holds no secrets. */
export class TlsError extends Error {
  readonly reason: Reason;
  readonly detail: string;

  /** `detail` may hold what a peer sent: it is made printable and cut here, once, for every log and screen. */
  constructor(reason: Reason, detail = '') {
    const shown = printable(detail);
    // Peers cause thousands of these, and where in the engine a rule stands tells nobody anything: the reason does.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(shown === '' ? `${reason.code}: ${reason.say}` : `${reason.code}: ${reason.say} (${shown})`);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'TlsError';
    this.reason = reason;
    this.detail = shown;
  }

  get code(): string {
    return this.reason.code;
  }
}

/** A check's negative answer as a value: what a caller branches on. */
export interface Refusal {
  readonly reason: Reason;
  readonly detail: string;
}
