import { expect, test, vi } from 'vitest';
import { Scope, ScopeClosed } from './scope.ts';

const unexpected = (error: unknown): never => {
  throw error;
};

test('closing aborts tasks, runs cleanups in reverse order and waits for both', async () => {
  const scope = new Scope('test', unexpected);
  const order: string[] = [];
  scope.defer(() => void order.push('first deferred'));
  scope.defer(async () => {
    await Promise.resolve();
    order.push('last deferred');
  });
  scope.run(async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('task');
  });
  await scope.close();
  expect(order.filter((each) => each !== 'task')).toEqual(['last deferred', 'first deferred']);
  expect(order).toContain('task');
});

test('a task that fails is told to the owner; one that ends with the closing is not', async () => {
  const failures: unknown[] = [];
  const scope = new Scope('test', (error) => failures.push(error));
  const broken = new Error('broken');
  scope.run(() => Promise.reject(broken));
  scope.run(
    (signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      ),
  );
  await new Promise((resolve) => setImmediate(resolve));
  await scope.close();
  expect(failures).toEqual([broken]);
  expect(scope.signal.reason).toBeInstanceOf(ScopeClosed);
});

test('a cleanup that fails does not stop the others', async () => {
  const failures: unknown[] = [];
  const scope = new Scope('test', (error) => failures.push(error));
  const other = vi.fn();
  scope.defer(other);
  scope.defer(() => {
    throw new Error('cleanup');
  });
  await scope.close();
  expect(other).toHaveBeenCalledOnce();
  expect(failures).toHaveLength(1);
});

test('a child ends with its parent, and leaves nothing behind when it ends first', async () => {
  const parent = new Scope('parent', unexpected);
  const early = parent.child('early');
  const late = parent.child('late');
  const cleaned: string[] = [];
  early.defer(() => void cleaned.push('early'));
  late.defer(() => void cleaned.push('late'));
  await early.close();
  expect(cleaned).toEqual(['early']);
  await parent.close();
  expect(cleaned).toEqual(['early', 'late']);
  expect(late.signal.aborted).toBe(true);
});

test('what is deferred to a closed scope runs at once', async () => {
  const scope = new Scope('test', unexpected);
  await scope.close();
  const cleanup = vi.fn();
  scope.defer(cleanup);
  await new Promise((resolve) => setImmediate(resolve));
  expect(cleanup).toHaveBeenCalledOnce();
});
