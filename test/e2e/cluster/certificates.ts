import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { finish, type LoadKind, seconds, tell } from './load.ts';
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
  const serials = await Promise.all([...CLIENTS, ...servers].map((pod) => mesh.serials(pod)));
  const reports = await finish(namespace, CLIENTS);
  tell(`${least.seconds} s of short certificates`, reports);
  console.log(
    `certificates: ${serials.map(({ length }) => length).join(', ')}; intermediates: ${issuers.size}`,
  );
  expect(reports.map(({ kind, failed }) => [kind, failed])).toEqual(CLIENTS.map((kind) => [kind, 0]));
  expect(reports.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThanOrEqual(least.calls);
  for (const each of serials) {
    // The first one, and two changes.
    expect(new Set(each).size).toBeGreaterThanOrEqual(3);
    expect(new Set(each).size).toBe(each.length);
  }
  expect(issuers.size).toBeGreaterThanOrEqual(least.intermediates);
}
