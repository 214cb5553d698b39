import { withoutApiServer } from '../api-server-away.ts';
import { expectChangedTwice } from '../certificates.ts';
import { expectNoneFailed, finish, latest, tell } from '../load.ts';
import { expectAllGenerations, rollOut } from '../rollout.ts';
import { KINDS, steadyMesh } from '../steady-mesh.ts';
import { story } from '../story.ts';

const ROLLOUTS = 3;
/** With the time that it may wait for others to end. */
const TIMEOUT_MILLISECONDS = 900_000;

story(
  'nobody notices three rollouts, nor 50 s without the API server, nor that all certificates change twice',
  async ({ cluster, namespace, turn }) => {
    const mesh = await steadyMesh(cluster, namespace);
    await rollOut(namespace, ROLLOUTS, 1);
    const halfway = await Promise.all(KINDS.map((kind) => latest(namespace, kind)));
    const rolled = halfway.flatMap((report) => (report === undefined ? [] : [report]));
    tell('rollouts', rolled);
    expectNoneFailed(rolled);
    expectAllGenerations(rolled, ROLLOUTS);

    await withoutApiServer(mesh, { cluster, namespace, turn }, 50);
    await expectChangedTwice(mesh, KINDS);
    const reports = await finish(namespace, KINDS);
    tell('in all', reports);
    expectNoneFailed(reports);
  },
  TIMEOUT_MILLISECONDS,
);
