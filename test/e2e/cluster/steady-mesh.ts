import { type LoadKind, serverDeployment } from './load.ts';
import { FileMesh } from './mesh.ts';
import type { Namespace } from './namespace.ts';
import { clusterAddresses } from './shop.ts';

export const KINDS: readonly LoadKind[] = ['new', 'keep-alive', 'stream', 'tcp'];

/** A mesh from files with the Deployment `server`, which the account `client` may call, up and running. */
export async function steadyMesh(namespace: Namespace, replicas: number): Promise<FileMesh> {
  const mesh = new FileMesh(namespace);
  await mesh.accounts('server', 'client');
  const { service, deployment } = serverDeployment(mesh, 'server', replicas);
  await namespace.apply(service);
  await mesh.files({
    allow: [{ from: 'client', to: 'server' }],
    destinations: [
      {
        service: 'server',
        networks: await networksOf(namespace, 'server'),
        identities: [mesh.identity('server')],
      },
      { networks: await networksOf(namespace, 'kube-dns', 'kube-system'), unmeshed: true },
    ],
  });
  await namespace.apply(deployment);
  await namespace.kubectl(['rollout', 'status', 'deployment/server', '--timeout=90s'], {
    timeoutMilliseconds: 100_000,
  });
  return mesh;
}

async function networksOf(namespace: Namespace, name: string, other?: string): Promise<string[]> {
  const addresses = await clusterAddresses(namespace, name, other);
  return addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
}
