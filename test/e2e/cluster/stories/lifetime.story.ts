import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject } from 'vitest';
import { startChild } from '../../../support/child.ts';
import type { ClusterHandle } from '../cluster.ts';
import { eventually } from '../command.ts';
import { story } from '../story.ts';

story('a cluster whose owner is killed ends, and leaves nothing', async ({ cluster, skip }) => {
  const handle = inject('cluster');
  if (!('provider' in handle) || handle.provider !== 'bare')
    skip('kind keeps a cluster until it is told to delete it');
  const owner = startChild('node', [fileURLToPath(new URL('../programs/own-cluster.ts', import.meta.url))]);
  const [, text = ''] = await owner.says(/^handle (.*)$/m, 150_000);
  const { folder = '', init = '' } = (JSON.parse(text) as ClusterHandle).access;
  expect(processesOf(folder).length).toBeGreaterThan(6);
  expect(cgroupsOf(folder).length).toBeGreaterThan(0);

  owner.signal('SIGKILL');

  await eventually(async () => {
    expect(existsSync(`/proc/${init}`)).toBe(false);
    expect(processesOf(folder)).toEqual([]);
    expect(cgroupsOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });
  // It was alone: ours runs on.
  expect(await cluster.kubectl(['get', '--raw', '/readyz'])).toBe('ok');
});

/** Those whose command line names the cluster's folder. */
function processesOf(folder: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(folder));
}

function cgroupsOf(folder: string): string[] {
  return globSync(`/sys/fs/cgroup/{,*/}${basename(folder)}`);
}
