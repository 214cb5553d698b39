import { expect } from 'vitest';
import { bareProvider } from '../bare/provider.ts';
import { leftovers } from '../leftovers.ts';
import { story } from '../story.ts';

const TIMES = 5;

story('clusters of one, two and three nodes come and go, and leave nothing', async ({ skip }) => {
  const unavailable = bareProvider.unavailable();
  if (unavailable !== undefined) skip(unavailable);
  for (let time = 0; time < TIMES; time += 1) {
    const { handle, down } = await bareProvider.up({
      nodes: 1 + (time % 3),
      images: [],
      progress: console.log,
    });
    const { folder = '' } = handle.access;
    expect(leftovers(folder).length).toBeGreaterThan(6);
    await down();
    expect(leftovers(folder)).toEqual([]);
  }
});
