/**
 * The answer of a condition. UNKNOWN is for what cannot be told of this peer, as whose identity a plaintext peer would
 * have: an Allow needs YES, a Deny is ruled out only by NO, so not knowing never opens anything.
 */
export type Verdict = typeof NO | typeof UNKNOWN | typeof YES;

export const NO = 0;
export const UNKNOWN = 1;
export const YES = 2;

/** Kleene's conjunction. */
export function both(a: Verdict, b: Verdict): Verdict {
  return a < b ? a : b;
}

/** Kleene's disjunction. */
export function either(a: Verdict, b: Verdict): Verdict {
  return a > b ? a : b;
}

export function known(holds: boolean): Verdict {
  return holds ? YES : NO;
}
