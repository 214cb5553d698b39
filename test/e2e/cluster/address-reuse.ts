import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { ControllerMesh, type Line } from './controller-mesh.ts';
import { IMAGES } from './images.ts';
import { clientPod, finish, latest, tell } from './load.ts';
import { type Manifest, type Namespace, pod } from './namespace.ts';
import { APPLICATION, get, NO_ANSWER } from './shop.ts';

const HOLDERS = ['meshed', 'unmeshed'] as const;
type Holder = (typeof HOLDERS)[number];
const ADDRESS_FREE_MILLISECONDS = 300_000;

/**
 * One address belongs in turn to a pod with and to one without a sidecar, while a client calls it all the time. To the
 * first no plaintext comes, and whoever answers is who the address belonged to.
 */
export async function reuseAddress(cluster: Cluster, namespace: Namespace, times: number): Promise<void> {
  const [node = '', ...others] = cluster.nodes;
  if (others.length === 0) return reuse(cluster, namespace, times);
  // Whom the scheduler sent here meanwhile could get the address, and keep it.
  await cluster.kubectl(['cordon', node]);
  try {
    await reuse(cluster, namespace, times);
  } finally {
    await cluster.kubectl(['uncordon', node]);
  }
}

async function reuse(cluster: Cluster, namespace: Namespace, times: number): Promise<void> {
  const accounts = [...HOLDERS, 'client'];
  const mesh = await ControllerMesh.install(cluster, namespace, accounts, [{ from: 'client', to: 'meshed' }]);
  const [node = ''] = cluster.nodes;
  const elsewhere = { node: cluster.nodes.at(-1) ?? node };
  await namespace.apply(holderPod(mesh, 'unmeshed', node));
  await namespace.until('Ready', ['pod/holder']);
  const [first = ''] = await namespace.addresses('holder');
  // Far from those that pods get which come one after the other.
  const address = first.replace(/\d+$/, '200');
  await namespace.apply(pod('stranger', APPLICATION, elsewhere));
  await become('meshed');
  await namespace.until('Ready', ['pod/stranger']);
  // Who has no sidecar comes with plaintext, and that is seen.
  await expect(get(namespace, 'stranger', address)).rejects.toThrow(NO_ANSWER);
  const [stranger = ''] = await namespace.addresses('stranger');
  await eventually(async () => expect((await plaintext()).length).toBeGreaterThan(0));
  const call = { kind: 'new', host: address, everyMilliseconds: 100 } as const;
  await namespace.apply(clientPod(mesh, 'client', call, elsewhere));

  const leaks: Line[] = [];
  for (let time = 0; time < times; time += 1) {
    const holder: Holder = time % 2 === 0 ? 'meshed' : 'unmeshed';
    if (time > 0) await become(holder);
    const answers = (await latest(namespace, 'client').catch(() => undefined))?.names[holder] ?? 0;
    await eventually(async () => {
      expect((await latest(namespace, 'client'))?.names[holder] ?? 0).toBeGreaterThan(answers);
    }, 120_000);
    if (holder === 'unmeshed') continue;
    const came = (await plaintext()).filter(({ peerAddress }) => hostOf(peerAddress) !== stranger);
    if (came.length > 0) await tellAround(came);
    leaks.push(...came);
  }
  const [report] = await finish(namespace, ['client']);
  if (report === undefined) throw new Error('there is one');
  tell(`${times} holders of one address`, [report]);
  expect(leaks).toEqual([]);
  expect(Object.keys(report.names).toSorted()).toEqual([...HOLDERS]);
  const peers = new Set((await mesh.lines('client')).map(({ peer }) => peer).filter(Boolean));
  expect([...peers]).toEqual([mesh.identity('meshed')]);

  /** Connections that came to the holder, which has a sidecar, in plaintext. */
  async function plaintext(): Promise<Line[]> {
    const lines = await mesh.lines('holder');
    return lines.filter(({ direction, mode }) => direction === 'inbound' && mode === 'plaintext');
  }

  /** What both sides said when it came. */
  async function tellAround(came: readonly Line[]): Promise<void> {
    const of = await mesh.lines('client');
    for (const line of came) {
      const at = Date.parse(line.time);
      const near = of.filter(({ time }) => Math.abs(Date.parse(time) - at) < AROUND_MILLISECONDS);
      console.log(
        ['plaintext to a pod with a sidecar:', line, ...near].map((each) => JSON.stringify(each)).join('\n'),
      );
    }
  }

  async function become(holder: Holder): Promise<void> {
    const end = Date.now() + ADDRESS_FREE_MILLISECONDS;
    do {
      await namespace.kubectl(['delete', 'pod', 'holder', '--grace-period=1', '--ignore-not-found']);
      await cluster.nextPodAddress(node, address);
      await namespace.apply(holderPod(mesh, holder, node));
      await namespace.until('Ready', ['pod/holder']);
      // Another story's pod, sent to this node by name, may have been quicker; it goes again.
      if ((await namespace.addresses('holder'))[0] === address) return;
    } while (Date.now() < end);
    throw new Error(`no pod gets ${address}`);
  }
}

const AROUND_MILLISECONDS = 5_000;
function hostOf(endpoint: unknown): string {
  return String(endpoint).replace(/:\d+$/, '');
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
