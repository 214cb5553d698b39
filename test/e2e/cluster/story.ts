import { randomBytes } from 'node:crypto';
import { inject, test } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { Namespace } from './namespace.ts';
import { clusterProvider } from './providers.ts';
import './setup.ts';
import { type Turn, Turns } from './turns.ts';

/** A test in the cluster that setup.ts brought up, with a namespace of its own and a turn. Skipped, with the reason, without one. */
export const story = test.extend<{ cluster: Cluster; namespace: Namespace; turn: Turn }>({
  turn: [
    async ({ skip }, use) => {
      const handle = inject('cluster');
      if ('unavailable' in handle) return skip(handle.unavailable);
      const turn = await new Turns(handle).take();
      await use(turn);
      await turn.end();
    },
    { auto: true },
  ],
  cluster: async ({ skip }, use) => {
    const handle = inject('cluster');
    if ('unavailable' in handle) return skip(handle.unavailable);
    await use(clusterProvider(handle.provider).connect(handle));
  },
  namespace: async ({ cluster, task, onTestFailed }, use) => {
    const name = `story-${randomBytes(4).toString('hex')}`;
    await cluster.kubectl(['create', 'namespace', name]);
    // Pods of a namespace cannot be made before its default account is; Kubernetes takes its time after an outage.
    await eventually(() => cluster.kubectl(['-n', name, 'get', 'serviceaccount', 'default']), 180_000);
    const namespace = new Namespace(cluster, name);
    let report = '';
    onTestFailed(() => console.log(`${task.name}:\n${report}`));
    await use(namespace);
    if (task.result?.state === 'fail') report = await namespace.report();
    await cluster.kubectl(['delete', 'namespace', name, '--wait=false']);
  },
});

/** Two nodes to put pods on: the same one twice, or two. Skips the second where the cluster has one node only. */
export function nodePairs(cluster: Cluster): readonly (readonly [string, string])[] {
  const [first = '', second] = cluster.nodes;
  return second === undefined
    ? [[first, first]]
    : [
        [first, first],
        [first, second],
      ];
}
