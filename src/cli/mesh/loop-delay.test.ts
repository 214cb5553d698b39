import { expect, test } from 'vitest';
import { Scope, systemClock } from '#runtime';
import { LoopDelay } from './loop-delay.ts';

test('a loop that was held up is noticed', async () => {
  const scope = new Scope('test', (error) => {
    throw error;
  });
  const delay = new LoopDelay(systemClock);
  delay.run(scope);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const until = performance.now() + 400;
  while (performance.now() < until);
  await expect.poll(() => delay.worstMilliseconds).toBeGreaterThan(200);
  await scope.close();
});
