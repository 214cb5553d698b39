import { withoutApiServer } from '../api-server-away.ts';
import { SHORT_LIVES } from '../controller-mesh.ts';
import { expectNoneFailed, finish, tell } from '../load.ts';
import { KINDS, steadyMesh } from '../steady-mesh.ts';
import { story } from '../story.ts';

/** Without the API server no intermediate can be written, so none may end meanwhile: leaves are renewed under this one. */
const LIVES = { ...SHORT_LIVES, intermediateLifetime: '30m' };

story(
  'the API server is away for five minutes: certificates are renewed, and only pods without a sidecar are missed',
  async ({ cluster, namespace, turn }) => {
    const mesh = await steadyMesh(cluster, namespace, KINDS, LIVES);
    await withoutApiServer(mesh, { cluster, namespace, turn }, 300);
    const reports = await finish(namespace, KINDS);
    tell('API server away for 300 s', reports);
    expectNoneFailed(reports);
  },
);
