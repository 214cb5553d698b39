import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import type { ControllerMesh, Line } from './controller-mesh.ts';
import { clientPod, finish, seconds, tell, underLoad } from './load.ts';
import type { Namespace } from './namespace.ts';
import { rolledOut } from './rollout.ts';
import { get } from './shop.ts';
import { runningPodsOf } from './steady-mesh.ts';
import type { Turn } from './turns.ts';

/** Leases are renewed for at most 60 s after the controller last heard of the API server, and last 10 s. */
const LEASES_END_SECONDS = 75;

/** From the order to delete a pod until everybody has heard that it ends. */
const HEARD_SECONDS = 3;

/**
 * Without the API server for so long, while a server that was deleted a moment before ends and nobody makes another: pods
 * without a sidecar are not called once leases have ended, and afterwards new pods come up. What the clients of the steady
 * mesh say of it is for the caller to judge.
 */
export async function withoutApiServer(
  mesh: ControllerMesh,
  { cluster, namespace, turn }: { cluster: Cluster; namespace: Namespace; turn: Turn },
  awaySeconds: number,
): Promise<void> {
  const [outside = ''] = await namespace.addresses('outside');
  const call = { kind: 'new', host: outside, everyMilliseconds: 500 } as const;
  await namespace.apply(clientPod(mesh, 'prober', call, { account: 'client' }));
  await underLoad(namespace, ['prober']);
  const before = await mesh.serials('new');
  const [victim = ''] = await runningPodsOf(namespace, 'server');
  const stopped = new Date().toISOString();
  await turn.alone(async () => {
    await namespace.kubectl(['delete', 'pod', victim, '--wait=false']);
    await seconds(HEARD_SECONDS);
    const start = await cluster.stopApiServer();
    await seconds(awaySeconds);
    await start();
  });
  // A pod that is new comes up, and the one without a sidecar is called again.
  await rolledOut(namespace);
  await eventually(async () =>
    expect(await get(namespace, 'caller', outside)).toMatchObject({ name: 'outside' }),
  );
  tell(
    `API server away for ${awaySeconds} s: an address without a sidecar`,
    await finish(namespace, ['prober']),
  );
  await expectRelisted(mesh, stopped);
  // What is not vouched for is not called, and for no other reason.
  const reasons = (await mesh.lines('prober'))
    .filter(({ message }) => message === 'connection')
    .flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  expect(reasons.filter((reason) => reason !== 'lease-lapsed')).toEqual([]);
  if (awaySeconds < LEASES_END_SECONDS) return;
  expect(reasons.length).toBeGreaterThan(0);
  expect((await mesh.serials('new')).length).toBeGreaterThan(before.length);
}

/**
 * An API server that starts knows no change from before its start: whoever asks to go on from there is told 410 and lists
 * everything anew.
 */
async function expectRelisted(mesh: ControllerMesh, since: string): Promise<void> {
  const expired = (await mesh.controllerLines()).filter(
    ({ message, reason, time }: Line) =>
      message === 'a watch broke off' && reason === 'expired' && time > since,
  );
  const paths = [...new Set(expired.map(({ path }) => String(path)))].toSorted();
  console.log(`watches that had expired (410): ${paths.join(', ')}`);
  expect(paths).toContain('/api/v1/pods');
}
