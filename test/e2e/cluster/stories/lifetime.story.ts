import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject } from 'vitest';
import { startChild } from '../../../support/child.ts';
import type { ClusterHandle } from '../cluster.ts';
import { eventually } from '../command.ts';
import { leftovers } from '../leftovers.ts';
import { story } from '../story.ts';

story('a cluster whose owner is killed ends, and leaves nothing', async ({ cluster, skip }) => {
  const handle = inject('cluster');
  if (!('provider' in handle) || handle.provider !== 'bare')
    skip('kind keeps a cluster until it is told to delete it');
  const owner = startChild('node', [fileURLToPath(new URL('../programs/own-cluster.ts', import.meta.url))]);
  const [, text = ''] = await owner.says(/^handle (.*)$/m, 300_000);
  const { folder = '', init = '' } = (JSON.parse(text) as ClusterHandle).access;
  expect(leftovers(folder).length).toBeGreaterThan(6);

  owner.signal('SIGKILL');

  await eventually(async () => {
    expect(existsSync(`/proc/${init}`)).toBe(false);
    expect(leftovers(folder)).toEqual([]);
  });
  // It was alone: ours runs on.
  expect(await cluster.kubectl(['get', '--raw', '/readyz'])).toBe('ok');
});
