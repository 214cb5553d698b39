import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { ControllerMesh } from './controller-mesh.ts';
import { IMAGES } from './images.ts';
import { clientPod, finish, latest, tell } from './load.ts';
import { type Manifest, type Namespace, pod } from './namespace.ts';

const HOLDERS = ['meshed', 'unmeshed'] as const;
type Holder = (typeof HOLDERS)[number];

/**
 * One address belongs in turn to a pod with and to one without a sidecar, while a client calls it all the time. To the
 * first no plaintext comes, and whoever answers is who the address belonged to.
 */
export async function reuseAddress(cluster: Cluster, namespace: Namespace, times: number): Promise<void> {
  const mesh = await ControllerMesh.install(
    cluster,
    namespace,
    [...HOLDERS, 'client'],
    [{ from: 'client', to: 'meshed' }],
  );
  const [node = ''] = cluster.nodes;
  await namespace.apply(holderPod(mesh, 'meshed', node));
  await namespace.until('Ready', ['pod/holder'], 90);
  const [address = ''] = await namespace.addresses('holder');
  const call = { kind: 'new', host: address, everyMilliseconds: 100 } as const;
  await namespace.apply(clientPod(mesh, 'client', call, { node: cluster.nodes.at(-1) ?? node }));

  let plaintext = 0;
  for (let time = 0; time < times; time += 1) {
    const holder: Holder = time % 2 === 0 ? 'meshed' : 'unmeshed';
    if (time > 0) await become(holder);
    const answers = (await latest(namespace, 'client').catch(() => undefined))?.names[holder] ?? 0;
    await eventually(async () => {
      expect((await latest(namespace, 'client'))?.names[holder] ?? 0).toBeGreaterThan(answers);
    }, 60_000);
    if (holder === 'meshed') {
      const lines = await mesh.lines('holder');
      plaintext += lines.filter(
        ({ direction, mode }) => direction === 'inbound' && mode === 'plaintext',
      ).length;
    }
  }
  const [report] = await finish(namespace, ['client']);
  if (report === undefined) throw new Error('there is one');
  tell(`${times} holders of one address`, [report]);
  expect(plaintext).toBe(0);
  expect(Object.keys(report.names).toSorted()).toEqual([...HOLDERS]);
  const peers = new Set((await mesh.lines('client')).map(({ peer }) => peer).filter(Boolean));
  expect([...peers]).toEqual([mesh.identity('meshed')]);

  async function become(holder: Holder): Promise<void> {
    // Another story's pod may have been quicker.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await namespace.kubectl(['delete', 'pod', 'holder', '--grace-period=1']);
      await cluster.nextPodAddress(node, address);
      await namespace.apply(holderPod(mesh, holder, node));
      await namespace.until('Ready', ['pod/holder'], 90);
      if ((await namespace.addresses('holder'))[0] === address) return;
    }
    throw new Error(`no pod gets ${address}`);
  }
}

function holderPod(mesh: ControllerMesh, holder: Holder, node: string): Manifest {
  const container = {
    name: 'steady',
    image: IMAGES.application,
    imagePullPolicy: 'Never',
    command: ['node', '/app/steady.ts'],
    env: [{ name: 'NAME', value: holder }],
  };
  return holder === 'meshed'
    ? mesh.pod('holder', [container], { account: 'meshed', node })
    : pod('holder', [container], { node });
}
