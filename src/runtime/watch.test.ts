import { expect, test, vi } from 'vitest';
import { Watch } from './watch.ts';

test('readers see the newest value; listeners get the new one and the one before', () => {
  const watch = new Watch(1);
  const listener = vi.fn();
  const end = watch.subscribe(listener);
  watch.set(2);
  end();
  watch.set(3);
  expect(watch.value).toBe(3);
  expect(watch.version).toBe(2);
  expect(listener.mock.calls).toEqual([[2, 1]]);
});

test('a listener that throws does not keep the others from the value', () => {
  const watch = new Watch('old');
  const listener = vi.fn();
  watch.subscribe(() => {
    throw new Error('listener');
  });
  watch.subscribe(listener);
  expect(() => watch.set('new')).toThrow('listener');
  expect(listener).toHaveBeenCalledOnce();
  expect(watch.value).toBe('new');
});
