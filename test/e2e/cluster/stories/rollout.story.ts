import { expect } from 'vitest';
import { finish, seconds, tell } from '../load.ts';
import { KINDS, steadyMesh } from '../steady-mesh.ts';
import { story } from '../story.ts';

const ROLLOUTS = 3;
const TIMEOUT_MILLISECONDS = 300_000;

story(
  'three rollouts of a server under load: no call fails, in short and long connections',
  async ({ cluster, namespace }) => {
    await steadyMesh(cluster, namespace);
    for (let rollout = 0; rollout < ROLLOUTS; rollout += 1) {
      await namespace.kubectl(['rollout', 'restart', 'deployment/server']);
      await namespace.kubectl(['rollout', 'status', 'deployment/server', '--timeout=90s'], {
        timeoutMilliseconds: 100_000,
      });
      await seconds(3);
    }
    const reports = await finish(namespace, KINDS);
    tell('rollouts', reports);
    expect(reports.map(({ kind, failed }) => [kind, failed])).toEqual(KINDS.map((kind) => [kind, 0]));
    for (const { kind, names } of reports) {
      // One connection has one server; the others met pods of every generation.
      expect(Object.keys(names).length).toBeGreaterThan(kind === 'tcp' ? 0 : ROLLOUTS);
    }
  },
  TIMEOUT_MILLISECONDS,
);
