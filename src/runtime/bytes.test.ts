import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, equal, fromHex, toHex } from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 64 });

test('concat keeps order and content', () => {
  fc.assert(
    fc.property(fc.array(bytes), (parts) => {
      expect(Buffer.from(concat(...parts))).toEqual(Buffer.concat(parts));
    }),
  );
});

test('hexadecimal goes there and back; what is not hexadecimal is refused', () => {
  fc.assert(fc.property(bytes, (value) => equal(fromHex(toHex(value)), value)));
  expect(() => fromHex('abc')).toThrow();
  expect(() => fromHex('zz')).toThrow();
});

test('equal means same length and same bytes', () => {
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
});
