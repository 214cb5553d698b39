import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from './text.ts';

test('what a terminal would act on becomes visible', () => {
  expect(printable('\u001b]0;title\u0007')).toBe('\\u{1b}]0;title\\u{7}');
  expect(printable('one\ntwo\r\u009b2J')).toBe('one\\u{a}two\\u{d}\\u{9b}2J');
  expect(printable('right \u202e to left')).toBe('right \\u{202e} to left');
});

test('ordinary text stays as it is, in any script', () => {
  expect(printable('spiffe://mesh/ns/läden/sa/注文')).toBe('spiffe://mesh/ns/läden/sa/注文');
});

test('nothing that comes out is a control character, and its length is bounded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const shown = printable(text, 100);
      expect(shown).not.toMatch(/\p{C}/u);
      expect(shown.length).toBeLessThan(100 * 10);
    }),
  );
});
