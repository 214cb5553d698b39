import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './lines.ts';

test('any chunking of bytes gives the same lines', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\r\n]/.test(text));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(7)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const got: string[] = [];
      const splitter = new LineSplitter((text) => got.push(text));
      let at = 0;
      for (const cut of cuts) {
        splitter.push(bytes.subarray(at, at + cut));
        at += cut;
      }
      splitter.push(bytes.subarray(at));
      splitter.end();
      expect(got).toEqual(lines);
    }),
  );
});

test('a line without end is given out in pieces', () => {
  const got: number[] = [];
  const splitter = new LineSplitter((text) => got.push(text.length));
  splitter.push(Buffer.alloc(20_000, 'x'));
  splitter.end();
  expect(got).toEqual([8_192, 8_192, 3_616]);
});
