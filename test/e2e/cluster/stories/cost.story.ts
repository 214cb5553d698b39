import { expect } from 'vitest';
import { FileMesh } from '../mesh.ts';
import { applicationContainer } from '../namespace.ts';
import { story } from '../story.ts';

const MEBIBYTE = 1024 * 1024;
const MEMORY_LIMIT = 70 * MEBIBYTE;
const START_LIMIT_MILLISECONDS = 500;
/** From this share on, the time to start says more about the machine than about the sidecar. */
const STARVED = 0.2;
const PODS = 5;

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
  // Of its main thread: how long it wanted a processor and had none. Nanoseconds; not every kernel counts them.
  waited: existsSync('/proc/1/schedstat') ? number('/proc/1/schedstat', /^\\d+ (\\d+)/) / 1e6 : 0,
  startedAt: Date.now() - uptime * 1000 + ticks * 10,
  resident: number('/proc/1/status', /VmRSS:\\s+(\\d+)/) * 1024,
  own: number('/proc/1/status', /RssAnon:\\s+(\\d+)/) * 1024,
  rss: two ? number(group + '/memory.stat', /^anon (\\d+)/m) : number(group + '/memory/memory.stat', /^total_rss (\\d+)/m),
}));
`;

interface Answer {
  readonly startedAt: number;
  /** Milliseconds that it was kept from a processor by others. */
  readonly waited: number;
  /** Of the process, in bytes: with the pages of Node's program, which all Nodes of a machine share. */
  readonly resident: number;
  /** Of the process, without those. */
  readonly own: number;
  /** Of the container's cgroup: what Kubernetes reports as container_memory_rss. It has this question in it. */
  readonly rss: number;
}

story('an idle sidecar is small, and ready soon after its process starts', async ({ namespace, skip }) => {
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
  const quickest = costs.reduce((a, b) => (a.ready < b.ready ? a : b));
  if (quickest.ready >= START_LIMIT_MILLISECONDS && quickest.waited > STARVED * quickest.ready) {
    skip(
      `the machine is busy: the sidecar took ${quickest.ready.toFixed(0)} ms to start and waited ` +
        `${quickest.waited.toFixed(0)} ms for a processor`,
    );
  }
  expect(quickest.ready).toBeLessThan(START_LIMIT_MILLISECONDS);

  /** When its log says that it accepts connections. */
  async function readyAt(name: string): Promise<number> {
    const lines = (await namespace.kubectl(['logs', name, '--container', 'sidecar'])).trim().split('\n');
    const started = lines
      .map((line) => JSON.parse(line) as { time: string; message: string })
      .find(({ message }) => message === 'sidecar started');
    return Date.parse(started?.time ?? '');
  }
});
