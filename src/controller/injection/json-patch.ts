/** RFC 6902, the operations that a difference needs. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/**
 * What makes `after` of `before`, both JSON. Lists of the same length are compared item by item, others are replaced
 * whole: nothing here depends on the order of operations.
 */
export function jsonPatch(before: unknown, after: unknown, path = ''): PatchOperation[] {
  // What was not touched is the same object, however deep it is.
  if (before === after) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return after.flatMap((item, index) => jsonPatch(before[index], item, `${path}/${index}`));
  }
  if (isObject(before) && isObject(after)) {
    const removed = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
    return [
      ...removed.map((key) => ({ op: 'remove', path: `${path}/${escaped(key)}` }) as const),
      ...Object.keys(after).flatMap((key): PatchOperation[] => {
        const place = `${path}/${escaped(key)}`;
        if (!Object.hasOwn(before, key)) return [{ op: 'add', path: place, value: after[key] }];
        return jsonPatch(before[key], after[key], place);
      }),
    ];
  }
  return [{ op: 'replace', path, value: after }];
}

/** The way to where an operation acts: keys and indexes (RFC 6901 section 4). */
export function pathOf({ path }: PatchOperation): string[] {
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** RFC 6901 section 3 */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
