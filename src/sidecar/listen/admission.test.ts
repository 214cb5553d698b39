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
