import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

test('lets in as many as the cap, and one more when one left', () => {
  const admission = new Admission(2);
  const leave = admission.enter();
  expect(admission.enter()).toBeDefined();
  expect(admission.enter()).toBeUndefined();
  leave?.();
  leave?.();
  expect(admission.inside).toBe(1);
  expect(admission.enter()).toBeDefined();
  expect(admission.enter()).toBeUndefined();
});

test('tells the oldest to go when it is full, and counts its place once', () => {
  const admission = new Admission(2);
  const gone: string[] = [];
  const enter = (name: string): (() => void) =>
    admission.enterInPlaceOfOldest(() => {
      gone.push(name);
      leaves.get(name)?.();
    });
  const leaves = new Map<string, () => void>();
  for (const name of ['a', 'b', 'c']) leaves.set(name, enter(name));
  expect(gone).toEqual(['a']);
  leaves.get('b')?.();
  leaves.set('d', enter('d'));
  expect(gone).toEqual(['a']);
  leaves.set('e', enter('e'));
  expect(gone).toEqual(['a', 'c']);
  expect(admission.inside).toBe(2);
});
