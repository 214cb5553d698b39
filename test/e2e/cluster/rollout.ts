import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { latest, type LoadReport, seconds } from './load.ts';
import type { Namespace } from './namespace.ts';
import { killSidecar } from './processes.ts';
import { podsOf, runningPodsOf } from './steady-mesh.ts';

/** Replaces all pods of the Deployment `server` so many times, and waits after each. */
export async function rollOut(namespace: Namespace, times: number, pauseSeconds: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await namespace.kubectl(['rollout', 'restart', 'deployment/server']);
    await rolledOut(namespace);
    await seconds(pauseSeconds);
  }
}

export async function rolledOut(namespace: Namespace): Promise<void> {
  await namespace.kubectl(['rollout', 'status', 'deployment/server', '--timeout=180s'], {
    timeoutMilliseconds: 200_000,
  });
}

/** One connection has one server; the others' clients met pods of every generation. */
export function expectAllGenerations(reports: readonly LoadReport[], rollouts: number): void {
  for (const { kind, names } of reports) {
    expect(Object.keys(names).length, kind).toBeGreaterThan(kind === 'tcp' ? 0 : rollouts);
  }
}

/**
 * Kills the sidecar of every pod of `server`, one after the other: first those that run, each once the one before is back,
 * then those that only end when their last connection does. How many they were.
 */
export async function killSidecars(cluster: Cluster, namespace: Namespace): Promise<number> {
  const pods = await podsOf(namespace, 'server');
  const running = await runningPodsOf(namespace, 'server');
  for (const pod of [...running, ...pods.filter((name) => !running.includes(name))]) {
    await killSidecar(cluster, namespace, pod);
    // A sidecar of a pod that ends is not started again.
    if (running.includes(pod)) {
      await eventually(
        async () => expect(Number(await namespace.field(`pod/${pod}`, SIDECAR_RESTARTS))).toBeGreaterThan(0),
        120_000,
      );
      await namespace.until('Ready', [`pod/${pod}`]);
    }
    const before = await answered(namespace);
    await eventually(async () => expect(await answered(namespace)).toBeGreaterThan(before + 100), 120_000);
  }
  return pods.length;
}

const SIDECAR_RESTARTS = '.status.initContainerStatuses[?(@.name=="sallyport")].restartCount';

async function answered(namespace: Namespace): Promise<number> {
  return (await latest(namespace, 'new').catch(() => undefined))?.answered ?? 0;
}
