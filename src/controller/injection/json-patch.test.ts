import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonPatch, type PatchOperation, pathOf } from './json-patch.ts';

type Container = Record<string, unknown>;

/** RFC 6902, as an API server does it. */
function apply(document: unknown, operations: readonly PatchOperation[]): unknown {
  let result = structuredClone(document);
  for (const operation of operations) {
    const keys = pathOf(operation);
    const last = keys.pop();
    if (last === undefined) {
      result = operation.op === 'remove' ? undefined : operation.value;
      continue;
    }
    const parent = keys.reduce((at, key) => at[key] as Container, result as Container);
    if (operation.op === 'remove') delete parent[last];
    else
      Object.defineProperty(parent, last, {
        value: operation.value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  }
  return result;
}

test('a patch makes the one of the other, whatever JSON they are', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
      const plain = JSON.parse(JSON.stringify(before)) as unknown;
      const wanted = JSON.parse(JSON.stringify(after)) as unknown;
      expect(apply(plain, jsonPatch(plain, wanted))).toEqual(wanted);
      expect(jsonPatch(plain, structuredClone(plain))).toEqual([]);
    }),
  );
});

test('RFC 6901 3: ~ and / in a key are escaped', () => {
  expect(jsonPatch({ annotations: {} }, { annotations: { 'a.b/c~d': 'x' } })).toEqual([
    { op: 'add', path: '/annotations/a.b~1c~0d', value: 'x' },
  ]);
});
