import { expect } from 'vitest';
import { FileMesh } from '../mesh.ts';
import { applicationContainer } from '../namespace.ts';
import { story } from '../story.ts';

const MEBIBYTE = 1024 * 1024;
const MEMORY_LIMIT = 70 * MEBIBYTE;
const PODS = 3;

/**
 * What the sidecar's process 1 and its cgroup (of either version) say, asked from inside the container: its Node is there,
 * and nothing else is. Node's compiler makes garbage while it starts, so it gets a moment first.
 */
const ASK = `
const { existsSync, readFileSync } = require('node:fs');
const number = (file, pattern) => Number(pattern.exec(readFileSync(file, 'utf8'))[1]);
const ticks = Number(readFileSync('/proc/1/stat', 'utf8').split(') ')[1].split(' ')[19]);
const uptime = number('/proc/uptime', /^([0-9.]+)/);
const group = '/sys/fs/cgroup';
const two = existsSync(group + '/memory.current');
console.log(JSON.stringify({
  startedAt: Date.now() - uptime * 1000 + ticks * 10,
  resident: number('/proc/1/status', /VmRSS:\\s+(\\d+)/) * 1024,
  own: number('/proc/1/status', /RssAnon:\\s+(\\d+)/) * 1024,
  rss: two ? number(group + '/memory.stat', /^anon (\\d+)/m) : number(group + '/memory/memory.stat', /^total_rss (\\d+)/m),
}));
`;

interface Answer {
  readonly startedAt: number;
  /** Of the process, in bytes: with the pages of Node's program, which all Nodes of a machine share. */
  readonly resident: number;
  /** Of the process, without those. */
  readonly own: number;
  /** Of the container's cgroup: what Kubernetes reports as container_memory_rss. It has this question in it. */
  readonly rss: number;
}

/** Time is printed and not judged: docs/performance.md has what a quiet machine takes. */
story('an idle sidecar is small, and says when it was ready', async ({ namespace }) => {
  const mesh = new FileMesh(namespace);
  await mesh.accounts('idle');
  await mesh.files({ allow: [], destinations: [] });
  const costs: (Answer & { readonly ready: number })[] = [];
  for (let index = 0; index < PODS; index += 1) {
    const name = `idle-${index}`;
    await namespace.apply(
      mesh.pod(name, [applicationContainer('application', ['wait'])], { account: 'idle' }),
    );
    await namespace.until('Ready', [`pod/${name}`]);
    const answer = JSON.parse(await namespace.exec(name, ['node', '-e', ASK], 'sidecar')) as Answer;
    costs.push({ ...answer, ready: (await readyAt(name)) - answer.startedAt });
  }
  const least = (field: 'resident' | 'own' | 'rss' | 'ready'): number =>
    Math.min(...costs.map((cost) => cost[field]));
  const mebibytes = (field: 'resident' | 'own' | 'rss'): string =>
    `${(least(field) / MEBIBYTE).toFixed(1)} MiB`;
  console.log(
    `idle sidecar, least of ${PODS}: container ${mebibytes('rss')}; process ${mebibytes('resident')}, of which ` +
      `${mebibytes('own')} its own; ready after ${least('ready').toFixed(0)} ms`,
  );
  expect(least('rss')).toBeLessThan(MEMORY_LIMIT);
  expect(least('resident')).toBeLessThan(MEMORY_LIMIT);
  expect(least('ready')).toBeGreaterThan(0);

  /** When its log says that it accepts connections. */
  async function readyAt(name: string): Promise<number> {
    const lines = (await namespace.kubectl(['logs', name, '--container', 'sidecar'])).trim().split('\n');
    const started = lines
      .map((line) => JSON.parse(line) as { time: string; message: string })
      .find(({ message }) => message === 'sidecar started');
    return Date.parse(started?.time ?? '');
  }
});
