import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Clock, systemClock } from '#runtime';
import { freePort } from '#runtime/testing';
import { Application, connectTo } from '../../../support/application.ts';
import { readAll, readLine } from '../../../support/bytes.ts';
import { allow, Mesh } from '../../../support/mesh.ts';
import {
  type CollectedSpan,
  collectorArgs,
  collectorProgram,
  metricsOf,
  spansOf,
  startCollector,
} from '../collector.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../command.ts';
import { programImage } from '../images.ts';
import { Installation } from '../installation.ts';
import { applicationContainer, type Manifest, type Namespace, pod, service } from '../namespace.ts';
import { story } from '../story.ts';

const MINUTE = 60_000;

/** The two halves of the newest handshake between two services, if they are in one trace and the client's is above. */
function bothSides(
  text: string,
  client: string,
  server: string,
  reason: string | undefined,
): readonly [CollectedSpan, CollectedSpan] {
  const spans = spansOf(text).filter(({ name }) => name === 'tls.handshake');
  const below = spans.findLast(
    ({ attributes, resource }) =>
      resource['service.name'] === server &&
      attributes['error.type'] === reason &&
      String(attributes['client.address'] ?? '') !== '',
  );
  const above = spans.find(
    ({ traceId, resource }) => traceId === below?.traceId && resource['service.name'] === client,
  );
  if (below === undefined || above === undefined)
    throw new Error(`no trace of both for ${reason ?? 'a success'}: ${spans.length} handshakes came`);
  expect(below.parentSpanId).toBe(above.spanId);
  return [above, below];
}

/** Three minutes behind: what it holds for valid for two has ended for everybody else. */
const BEHIND: Clock = {
  now: () => systemClock.now() - 3 * MINUTE,
  monotonic: () => systemClock.monotonic(),
  after: (milliseconds, done) => systemClock.after(milliseconds, done),
};

/** A caller and its callee's address, as a destination of its sidecar. */
function ordersOf(mesh: Mesh) {
  const { inbound, identity } = mesh.service('orders');
  return { kind: 'meshed', address: inbound, port: 8080, identities: [identity] } as const;
}

async function callInVain(mesh: Mesh, caller: string): Promise<void> {
  const socket = await connectTo(mesh.service(caller).calls('orders'));
  socket.write('hello\n');
  await readAll(socket).catch(() => undefined);
  socket.destroy();
}

story(
  'both sides reach an OpenTelemetry Collector under one trace id: success, expired certificate, no common group, denial',
  async ({ onTestFinished }) => {
    const port = await freePort();
    const collector = await startCollector(port);
    onTestFinished(() => collector.signal('SIGTERM'));
    await eventually(() => fetch(`http://127.0.0.1:${port}/`));
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
    const echo = await Application.tcp((socket) => socket.pipe(socket));
    const application = { orders: { application: echo } };
    const policies = { 'orders.yaml': allow('orders', ['web', 'late']) };
    const callers = { web: { calls: ['orders'] }, intruder: { calls: ['orders'] } };
    const mesh = await Mesh.start({ services: { ...application, ...callers }, policies, environment });
    const young = await Mesh.start({ services: application, kems: ['x25519'], environment });
    const late = await Mesh.start({
      services: { late: { calls: { orders: () => ordersOf(mesh) } } },
      clock: BEHIND,
      leafLifetimeMilliseconds: 2 * MINUTE,
      environment,
    });
    const old = await Mesh.start({
      services: { old: { calls: { orders: () => ordersOf(young) } } },
      kems: ['secp384r1'],
      environment,
    });
    onTestFinished(async () => {
      await Promise.all([mesh.close(), late.close(), old.close(), young.close()]);
      await echo.close();
    });
    mesh.trust(late);
    late.trust(mesh);

    const socket = await connectTo(mesh.service('web').calls('orders'));
    socket.write('hello\n');
    expect(await readLine(socket)).toBe('hello');
    socket.end();
    await callInVain(mesh, 'intruder');
    await callInVain(late, 'late');
    await callInVain(old, 'old');

    const output = (): string => collector.stdout.toString('utf8');
    for (const { client, result, reason, told } of [
      { client: 'web', result: 'ok', reason: undefined, told: undefined },
      { client: 'intruder', result: 'refused', reason: 'no-policy-allows', told: 'alert-received' },
      { client: 'late', result: 'failed', reason: 'certificate-expired', told: 'alert-received' },
      { client: 'old', result: 'failed', reason: 'no-common-group', told: 'alert-received' },
    ]) {
      const [above, below] = await eventually(async () => bothSides(output(), client, 'orders', reason));
      expect(above.attributes['error.type'], client).toBe(told);
      expect(below.attributes['sallyport.result'], client).toBe(result);
    }
  },
  40 * MINUTE,
);

function deployment(name: string, args: readonly string[]): Manifest {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { terminationGracePeriodSeconds: 1, containers: [applicationContainer('application', args)] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template },
  };
}

async function collectorIn(cluster: Cluster, namespace: Namespace): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-collector-'));
  try {
    await cluster.loadImage(programImage(folder, COLLECTOR, await collectorProgram()));
  } finally {
    rmSync(folder, { recursive: true });
  }
  const args = collectorArgs('[::]:4318');
  const container = { name: 'collector', image: COLLECTOR, imagePullPolicy: 'Never', args };
  // The namespace is not meshed yet, and the collector never will be.
  await namespace.apply(pod('collector', [container]), service('collector', 4318));
  await namespace.until('Ready', ['pod/collector']);
}

const COLLECTOR = 'localhost/collector:test';
const LABEL = 'mesh.sallyport.dev/inject';

async function rolledOut(namespace: Namespace, ...names: readonly string[]): Promise<void> {
  for (const name of names)
    await namespace.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=100s'], {
      timeoutMilliseconds: 2 * MINUTE,
    });
}

story(
  "injected pods send traces with their pods' attributes to the endpoint that the chart names, and the controller its metrics",
  async ({ cluster, namespace, turn, onTestFinished }) => {
    await collectorIn(cluster, namespace);
    const telemetry = `telemetry.otlpEndpoint=http://collector.${namespace.name}.svc:4318`;
    const mesh = new Installation(cluster, namespace.name.replace('story', 'sallyport'));
    onTestFinished(() => mesh.remove());
    const collected = (): Promise<string> => namespace.kubectl(['logs', 'pod/collector']);
    // Its webhook would be asked about the pods of other stories too.
    await turn.alone(async () => {
      try {
        await mesh.install(telemetry);
        await cluster.kubectl(['label', 'namespace', namespace.name, `${LABEL}=enabled`]);
        const client = deployment('client', ['wait']);
        await namespace.apply(deployment('server', ['serve', '8080']), service('server', 8080), client);
        await rolledOut(namespace, 'server', 'client');
        const ask = ['node', '/app/app.ts', 'get', 'http://server:8080/hello'];
        await eventually(() => namespace.exec('deployment/client', ask, 'application'));
        const permitted = await eventually(async () =>
          bothSides(await collected(), 'client', 'server', undefined),
        );
        for (const [index, app] of ['client', 'server'].entries()) {
          const selected = ['get', 'pods', `--selector=app=${app}`];
          const fields =
            '--output=jsonpath={.items[0].metadata.name} {.items[0].metadata.uid} {.items[0].spec.nodeName}';
          const [name, uid, node] = (await namespace.kubectl([...selected, fields])).split(' ');
          expect(permitted[index]?.resource).toMatchObject({
            'service.name': app,
            'service.namespace': namespace.name,
            'k8s.namespace.name': namespace.name,
            'k8s.pod.name': name,
            'k8s.pod.uid': uid,
            'k8s.node.name': node,
            'k8s.container.name': 'sallyport',
          });
        }

        // Denied by default: the sidecars that run are told of it.
        await mesh.upgrade(telemetry, 'policy.default=Deny');
        await eventually(async () => {
          await expect(namespace.exec('deployment/client', ask, 'application')).rejects.toThrow();
          bothSides(await collected(), 'client', 'server', 'no-policy-allows');
        });
        // The controller that the upgrade ended sent what it had.
        const controllers = metricsOf(await collected()).filter(
          ({ resource }) => resource['service.name'] === `${mesh.name}-controller`,
        );
        expect(controllers.flatMap(({ names }) => names)).toContain('sallyport.issuance.requests');
        expect(controllers[0]?.resource).toMatchObject({ 'k8s.namespace.name': mesh.namespace });
      } finally {
        await mesh.remove();
      }
    });
  },
  40 * MINUTE,
);
