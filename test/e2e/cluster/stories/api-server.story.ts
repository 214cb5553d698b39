import { expect } from 'vitest';
import { clientPod, finish, seconds, tell, underLoad } from '../load.ts';
import { KINDS, steadyMesh } from '../steady-mesh.ts';
import { story } from '../story.ts';

const AWAY_SECONDS = 15;
/** With the time that it may wait for the others. */
const TIMEOUT_MILLISECONDS = 400_000;

story(
  'without the API server, calls between running pods go on, also over new connections',
  async ({ cluster, namespace, turn }) => {
    const mesh = await steadyMesh(namespace, 2);
    await namespace.apply(
      ...KINDS.map((kind) =>
        clientPod(mesh, kind, { kind, host: 'server', everyMilliseconds: 50 }, { account: 'client' }),
      ),
    );
    await underLoad(namespace, KINDS);
    await turn.alone(async () => {
      const start = await cluster.stopApiServer();
      await seconds(AWAY_SECONDS);
      await expect(cluster.kubectl(['get', '--raw', '/readyz'])).rejects.toThrow('refused');
      await start();
    });
    const reports = await finish(namespace, KINDS);
    tell('API server away', reports);
    expect(reports.map(({ kind, failed }) => [kind, failed])).toEqual(KINDS.map((kind) => [kind, 0]));
  },
  TIMEOUT_MILLISECONDS,
);
