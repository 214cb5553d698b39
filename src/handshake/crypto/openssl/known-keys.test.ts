import { expect, test } from 'vitest';
import type { NativeKey } from './keys.ts';
import { KnownKeys, MOST_KNOWN } from './known-keys.ts';

/** Counts how often it was freed. */
class FakeKey {
  freed = 0;

  free(): void {
    this.freed += 1;
  }
}

const spki = (number: number): Uint8Array => Uint8Array.of(number >> 16, number >> 8, number);
const keyOf = (fake: FakeKey): NativeKey => fake as unknown as NativeKey;

test('keys are found by all their bytes, and freed once when their place is needed', () => {
  const known = new KnownKeys();
  const fakes = Array.from({ length: MOST_KNOWN + 2 }, () => new FakeKey());
  for (const [index, fake] of fakes.entries()) {
    known.keep(spki(index), keyOf(fake));
    // In use all the time.
    known.keep(spki(0), keyOf(fakes[0]!));
  }
  expect(fakes.map(({ freed }) => freed)).toEqual(
    fakes.map((_, index) => (index === 1 || index === 2 ? 1 : 0)),
  );
  expect(known.find(spki(0))).toBe(fakes[0]);
  expect(known.find(spki(1))).toBeUndefined();
  expect(known.find(spki(3).subarray(0, 2))).toBeUndefined();
});

test('a key that is read a second time takes the place of the first', () => {
  const known = new KnownKeys();
  const [one, other] = [new FakeKey(), new FakeKey()];
  known.keep(spki(7), keyOf(one));
  known.keep(spki(7), keyOf(other));
  expect([one.freed, other.freed]).toEqual([1, 0]);
  expect(known.find(spki(7))).toBe(other);
});
