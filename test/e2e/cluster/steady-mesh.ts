import type { Cluster } from './cluster.ts';
import type { ControllerOptions } from './controller-manifests.ts';
import { ControllerMesh } from './controller-mesh.ts';
import { clientPod, type LoadKind, serverDeployment, underLoad } from './load.ts';
import { clusterAddresses } from './shop.ts';
import { applicationContainer, type Namespace, pod } from './namespace.ts';

export const KINDS: readonly LoadKind[] = ['new', 'keep-alive', 'stream', 'tcp'];

/**
 * The Deployment `server` under load of a client of each kind, a meshed pod `caller` that does nothing by itself, and a
 * pod without a sidecar, `outside`, that serves port 8080.
 */
export async function steadyMesh(
  cluster: Cluster,
  namespace: Namespace,
  kinds: readonly LoadKind[] = KINDS,
  lives?: ControllerOptions,
): Promise<ControllerMesh> {
  const accounts = ['server', 'client'];
  const mesh = await ControllerMesh.install(
    cluster,
    namespace,
    accounts,
    [{ from: 'client', to: 'server' }],
    lives,
  );
  const { service, deployment } = serverDeployment(mesh, 'server', 2);
  await namespace.apply(
    service,
    deployment,
    pod('outside', [applicationContainer('application', ['serve', '8080'])]),
    mesh.pod('caller', [applicationContainer('application', ['wait'])], { account: 'client' }),
  );
  await namespace.until('Available', ['deployment/server']);
  await namespace.until('Ready', ['pod/outside', 'pod/caller']);
  // By its address: what names a busy cluster's DNS answers in time is another matter.
  const [host = ''] = await clusterAddresses(namespace, 'server');
  await namespace.apply(
    ...kinds.map((kind) =>
      clientPod(mesh, kind, { kind, host, everyMilliseconds: 50 }, { account: 'client' }),
    ),
  );
  await underLoad(namespace, kinds);
  return mesh;
}

export async function podsOf(namespace: Namespace, app: string): Promise<string[]> {
  const names = ['get', 'pods', `--selector=app=${app}`, '--output', 'jsonpath={.items[*].metadata.name}'];
  return (await namespace.kubectl(names)).split(' ').filter(Boolean);
}

/** Without those that only end when their last connection does. */
export async function runningPodsOf(namespace: Namespace, app: string): Promise<string[]> {
  const list = JSON.parse(
    await namespace.kubectl(['get', 'pods', `--selector=app=${app}`, '--output', 'json']),
  ) as { readonly items: readonly { readonly metadata: { name: string; deletionTimestamp?: string } }[] };
  return list.items.flatMap(({ metadata }) =>
    metadata.deletionTimestamp === undefined ? [metadata.name] : [],
  );
}
