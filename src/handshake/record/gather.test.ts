import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat } from '#runtime';
import { Gather } from './gather.ts';

test('pieces are read as if they were joined, whatever is taken at once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 30 }),
      (pieces, takes) => {
        const gather = new Gather(pieces);
        const whole = concat(...pieces);
        const read: Uint8Array[] = [];
        for (const take of [...takes, whole.length]) {
          const length = Math.min(take, gather.left);
          const out = new Uint8Array(length + 7).fill(0xee);
          gather.copyTo(out, 3, length);
          expect([...out.subarray(0, 3), ...out.subarray(3 + length)]).toEqual(Array(7).fill(0xee));
          read.push(out.slice(3, 3 + length));
        }
        expect(concat(...read)).toEqual(whole);
        expect(gather.left).toBe(0);
      },
    ),
  );
});

test('what is not there is not given', () => {
  expect(() => new Gather([Uint8Array.of(1)]).copyTo(new Uint8Array(9), 0, 2)).toThrow('2 bytes of 1');
});
