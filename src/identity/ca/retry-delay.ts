/** A store that is away for long is not pressed. */
const LONGEST_MILLISECONDS = 60_000;
/** At least so many tries fit into what is left. */
const TRIES = 32;

/**
 * When a rotation that failed is tried again: the nearer the end of the intermediate in use, the sooner a store that is back
 * is noticed. `left` is what remains of that intermediate; both in milliseconds.
 */
export function retryDelay(left: number): number {
  return Math.min(Math.max(left, 0) / TRIES, LONGEST_MILLISECONDS);
}
