/**
 * The cheaper of two that were drawn (power of two choices): nearly as even as looking at all, and callers that know the
 * same don't all run to the same one. `random` returns a number in [0, 1). Undefined for none.
 */
export function twoChoices<T>(
  candidates: readonly T[],
  costOf: (candidate: T) => number,
  random: () => number,
): T | undefined {
  const { length } = candidates;
  if (length < 2) return candidates[0];
  const first = Math.floor(random() * length);
  // The second is another one: drawn from those after the first, around the end.
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length;
  const [a, b] = [candidates[first] as T, candidates[second] as T];
  return costOf(b) < costOf(a) ? b : a;
}
