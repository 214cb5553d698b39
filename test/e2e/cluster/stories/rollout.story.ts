import { expect } from 'vitest';
import { clientPod, finish, seconds, tell, underLoad } from '../load.ts';
import { KINDS, steadyMesh } from '../steady-mesh.ts';
import { story } from '../story.ts';

const ROLLOUTS = 3;

story(
  'three rollouts of a server under load: no call fails, in short and long connections',
  async ({ namespace }) => {
    const mesh = await steadyMesh(namespace, 2);
    await namespace.apply(
      ...KINDS.map((kind) =>
        clientPod(mesh, kind, { kind, host: 'server', everyMilliseconds: 50 }, { account: 'client' }),
      ),
    );
    await underLoad(namespace, KINDS);
    for (let rollout = 0; rollout < ROLLOUTS; rollout += 1) {
      await namespace.kubectl(['rollout', 'restart', 'deployment/server']);
      await namespace.kubectl(['rollout', 'status', 'deployment/server', '--timeout=90s']);
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
);
