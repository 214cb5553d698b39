import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import type { ControllerMesh } from './controller-mesh.ts';
import { expectNoneFailed, finish, type LoadKind, seconds, tell } from './load.ts';
import type { Namespace } from './namespace.ts';
import { podsOf, steadyMesh } from './steady-mesh.ts';

const CLIENTS: readonly LoadKind[] = ['new', 'keep-alive', 'stream'];

/**
 * Three clients call a Service for so long, with leaves that live two minutes: no call fails, every serial number changes
 * at least twice, and as many intermediates as given signed them at least.
 */
export async function certificatesUnderLoad(
  cluster: Cluster,
  namespace: Namespace,
  least: { readonly seconds: number; readonly calls: number; readonly intermediates: number },
): Promise<void> {
  const mesh = await steadyMesh(cluster, namespace, CLIENTS);
  const servers = await podsOf(namespace, 'server');
  const issuers = new Set<string>();
  const end = Date.now() + least.seconds * 1000;
  while (Date.now() < end) {
    issuers.add((await mesh.dump(servers[0] ?? '')).certificate.issuer.serial);
    await seconds(10);
  }
  await expectChangedTwice(mesh, [...CLIENTS, ...servers]);
  const reports = await finish(namespace, CLIENTS);
  tell(`${least.seconds} s of short certificates`, reports);
  console.log(`intermediates: ${issuers.size}`);
  expectNoneFailed(reports);
  expect(reports.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThanOrEqual(least.calls);
  expect(issuers.size).toBeGreaterThanOrEqual(least.intermediates);
}

/** Waits until each pod has had its first certificate and two others. */
export async function expectChangedTwice(mesh: ControllerMesh, pods: readonly string[]): Promise<void> {
  const serials = await Promise.all(
    pods.map((pod) =>
      eventually(async () => {
        const had = await mesh.serials(pod);
        expect(had.length, pod).toBeGreaterThanOrEqual(3);
        return had;
      }, LEAF_MILLISECONDS),
    ),
  );
  console.log(`certificates of ${pods.join(', ')}: ${serials.map(({ length }) => length).join(', ')}`);
  for (const each of serials) expect(new Set(each).size).toBe(each.length);
}

const LEAF_MILLISECONDS = 120_000;
