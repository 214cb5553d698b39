import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { IMAGES } from './images.ts';
import { type Manifest, type Namespace, service } from './namespace.ts';

export type LoadKind = 'new' | 'keep-alive' | 'stream' | 'tcp';

/** What came of a client's calls: see apps/load.ts. */
export interface LoadReport {
  readonly kind: LoadKind;
  readonly calls: number;
  readonly answered: number;
  readonly failed: number;
  readonly connections: number;
  readonly slowestMs: number;
  /** Answers by who gave them. */
  readonly names: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly at: string; readonly error: string }[];
  readonly running: boolean;
}

/** Whatever puts a sidecar into a pod. */
export interface PodMaker {
  pod(name: string, containers: readonly unknown[], options?: Readonly<Record<string, unknown>>): Manifest;
}

/** A client that calls `host` every so many milliseconds, without ever repeating a call. */
export function clientPod(
  mesh: PodMaker,
  name: string,
  call: { readonly kind: LoadKind; readonly host: string; readonly everyMilliseconds: number },
  options: Readonly<Record<string, unknown>> = {},
): Manifest {
  const { kind, host, everyMilliseconds } = call;
  const command = ['node', '/app/load.ts', kind, host, String(everyMilliseconds)];
  const { spec, ...more } = options as { readonly spec?: object };
  const container = { name: 'load', image: IMAGES.application, imagePullPolicy: 'Never', command };
  return mesh.pod(name, [container], {
    ...more,
    spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 5, ...spec },
  });
}

/**
 * The server that clients call (apps/steady.ts), as a Deployment with a Service of the same name. Its pods end when their
 * last connection has, within the grace.
 */
export function serverDeployment(
  mesh: PodMaker,
  name: string,
  replicas: number,
  { graceSeconds = 600 } = {},
): { readonly service: Manifest; readonly deployment: Manifest } {
  const token = randomBytes(16).toString('hex');
  const container = {
    name: 'steady',
    image: IMAGES.application,
    imagePullPolicy: 'Never',
    command: ['node', '/app/steady.ts'],
    readinessProbe: {
      httpGet: { path: `/probe/${token}`, port: 15_020 },
      periodSeconds: 1,
      timeoutSeconds: 5,
    },
  };
  const { metadata, spec } = mesh.pod(name, [container], {
    probes: [{ token, tcp: { port: 8080 } }],
    spec: { terminationGracePeriodSeconds: graceSeconds },
  });
  const ports = [8080, 8081, 8082].map((port) => ({ name: `p${port}`, port }));
  return {
    service: service(name, 8080, { ports }),
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { metadata: { labels: metadata.labels }, spec },
      },
    },
  };
}

/** Waits until every client has had answers. */
export async function underLoad(namespace: Namespace, clients: readonly string[]): Promise<void> {
  await namespace.until(
    'Ready',
    clients.map((name) => `pod/${name}`),
  );
  for (const client of clients) {
    await expect
      .poll(() => latest(namespace, client), { timeout: 120_000, interval: 1_000 })
      .toMatchObject({
        answered: expect.toSatisfy((count: number) => count > 0),
      });
  }
}

/** What a client has said so far. */
export async function latest(namespace: Namespace, client: string): Promise<LoadReport | undefined> {
  const text = await namespace.kubectl(['logs', client, '--container', 'load', '--tail', '1']);
  const line = text.trim();
  return line.startsWith('{') ? (JSON.parse(line) as LoadReport) : undefined;
}

/** Ends the clients; what came of all of their calls. */
export async function finish(
  namespace: Namespace,
  clients: readonly string[],
): Promise<readonly LoadReport[]> {
  return Promise.all(
    clients.map(async (client) => {
      const container = '.status.containerStatuses[?(@.name=="load")].state.terminated.exitCode';
      await namespace.exec(client, ['node', '-e', 'process.kill(1, "SIGTERM")'], 'load');
      await expect
        .poll(() => namespace.field(`pod/${client}`, container), { timeout: 60_000, interval: 500 })
        .toBe('0');
      const report = await latest(namespace, client);
      if (report === undefined || report.running) throw new Error(`${client} said nothing at its end`);
      return report;
    }),
  );
}

/** Of all the calls of all clients. */
export function expectNoneFailed(reports: readonly LoadReport[]): void {
  expect(reports.map(({ kind, failed, failures }) => [kind, failed, failures])).toEqual(
    reports.map(({ kind }) => [kind, 0, []]),
  );
}

/** A line for whoever reads the run, and the failures for whoever has to mend them. */
export function tell(what: string, reports: readonly LoadReport[]): void {
  for (const { kind, calls, failed, connections, slowestMs, names, failures } of reports) {
    const by = Object.keys(names).length;
    console.log(
      `${what}: ${kind}: ${calls} calls, ${failed} failed, ${connections} connections to ${by} servers, slowest ${slowestMs} ms`,
    );
    for (const { at, error } of failures) console.log(`  ${at} ${error}`);
  }
}

export function seconds(count: number): Promise<void> {
  return delay(count * 1000);
}
