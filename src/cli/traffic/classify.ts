import type { Hop } from '../mesh-file/mesh-file.ts';

/** What the policies say of one request's hops at one moment. */
export interface Expectation {
  /** Of the set of policies that was asked. */
  readonly epoch: number;
  /** The hops that policy refuses; empty: the request is permitted. */
  readonly forbidden: readonly Hop[];
}

export type Answer =
  | { readonly kind: 'status'; readonly status: number }
  /** The connection was refused, reset, or no answer came in time. */
  | { readonly kind: 'none'; readonly error: string };

/**
 * - `ok`, `failed`: the policies permit every hop, and an answer came, or not.
 * - `denied`, `passed`: they refuse a hop, and the request was stopped, or came through all the same.
 * - `undecided`: the policies changed while the request was under way, so neither can be said.
 */
export type Outcome = 'ok' | 'failed' | 'denied' | 'passed' | 'undecided';

export interface Request {
  /** Asked just before the request was sent, and just after it ended. */
  readonly before: Expectation;
  readonly after: Expectation;
  readonly answer: Answer;
  /** It was sent into a sidecar (`as`), so any answer at all proves that the hop let it through. */
  readonly direct: boolean;
}

/**
 * Judges one request by what the policies said while it ran, not by what a file promised beforehand: whoever edits a
 * policy changes the expectation at that moment.
 *
 * An answer below 500 means that the request came through. A service that could not reach another one answers with
 * 5xx, which for a permitted request is a failure and for a forbidden one the sign that it was stopped.
 */
export function classify({ before, after, answer, direct }: Request): Outcome {
  if (before.epoch !== after.epoch) return 'undecided';
  const served = answer.kind === 'status' && answer.status < 500;
  if (before.forbidden.length === 0) return served ? 'ok' : 'failed';
  const cameThrough = direct ? answer.kind === 'status' : served;
  return cameThrough ? 'passed' : 'denied';
}
