/** From `from` up to, not including, `to`. Half open, so that numbers and bigints need the same arithmetic: none. */
export interface Span<T extends number | bigint> {
  readonly from: T;
  readonly to: T;
}

/** The same numbers in ascending spans that neither overlap nor touch. */
export function merged<T extends number | bigint>(spans: readonly Span<T>[]): Span<T>[] {
  const result: Span<T>[] = [];
  for (const span of spans.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))) {
    const previous = result.at(-1);
    if (previous === undefined || span.from > previous.to) result.push(span);
    else if (span.to > previous.to) result[result.length - 1] = { from: previous.from, to: span.to };
  }
  return result;
}

/** What of `spans` is in none of `removed`. */
export function without<T extends number | bigint>(
  spans: readonly Span<T>[],
  removed: readonly Span<T>[],
): Span<T>[] {
  let left = merged(spans);
  for (const hole of removed) {
    left = left.flatMap(({ from, to }) => {
      if (hole.to <= from || to <= hole.from) return [{ from, to }];
      const before = hole.from > from ? [{ from, to: hole.from }] : [];
      const after = hole.to < to ? [{ from: hole.to, to }] : [];
      return [...before, ...after];
    });
  }
  return left;
}

/** What is in both. */
export function common<T extends number | bigint>(
  spans: readonly Span<T>[],
  others: readonly Span<T>[],
): Span<T>[] {
  return without(spans, without(spans, others));
}
