import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { clientPod, finish, seconds, tell, underLoad } from './load.ts';
import type { Namespace } from './namespace.ts';
import { get } from './shop.ts';
import { KINDS, podsOf, steadyMesh } from './steady-mesh.ts';
import type { Turn } from './turns.ts';

/** Leases are renewed for at most 60 s after the controller last heard of the API server, and last 10 s. */
const LEASES_END_SECONDS = 75;

/**
 * Without the API server for so long: no call between running pods of the mesh fails, although their certificates end
 * meanwhile; pods without a sidecar are not called once leases have ended; afterwards new pods come up.
 */
export async function withoutApiServer(
  { cluster, namespace, turn }: { cluster: Cluster; namespace: Namespace; turn: Turn },
  awaySeconds: number,
): Promise<void> {
  const mesh = await steadyMesh(cluster, namespace);
  const [outside = ''] = await namespace.addresses('outside');
  const call = { kind: 'new', host: outside, everyMilliseconds: 500 } as const;
  await namespace.apply(clientPod(mesh, 'prober', call, { account: 'client' }));
  await underLoad(namespace, ['prober']);
  const before = await mesh.serials('new');
  await turn.alone(async () => {
    const start = await cluster.stopApiServer();
    await seconds(awaySeconds);
    await start();
  });
  // A pod that is new comes up, and the one without a sidecar is called again.
  const [victim = ''] = await podsOf(namespace, 'server');
  await namespace.kubectl(['delete', 'pod', victim, '--wait=false']);
  await namespace.kubectl(['rollout', 'status', 'deployment/server', '--timeout=120s'], {
    timeoutMilliseconds: 130_000,
  });
  await eventually(async () =>
    expect(await get(namespace, 'caller', outside)).toMatchObject({ name: 'outside' }),
  );
  const reports = await finish(namespace, KINDS);
  const [probed] = await finish(namespace, ['prober']);
  tell(`API server away for ${awaySeconds} s`, [...reports, ...(probed === undefined ? [] : [probed])]);
  expect(reports.map(({ kind, failed }) => [kind, failed])).toEqual(KINDS.map((kind) => [kind, 0]));
  // What is not vouched for is not called, and for no other reason.
  const reasons = (await mesh.lines('prober'))
    .filter(({ message }) => message === 'connection')
    .flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  expect(reasons.filter((reason) => reason !== 'lease-lapsed')).toEqual([]);
  if (awaySeconds < LEASES_END_SECONDS) return;
  expect(reasons.length).toBeGreaterThan(0);
  expect((await mesh.serials('new')).length).toBeGreaterThan(before.length);
}
