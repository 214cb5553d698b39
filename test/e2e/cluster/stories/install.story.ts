import { expect } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { eventually, expectGone } from '../command.ts';
import { Installation } from '../installation.ts';
import { applicationContainer, type Manifest, type Namespace, pod, service } from '../namespace.ts';
import { story } from '../story.ts';

const LABEL = 'mesh.sallyport.dev/inject';

/** As somebody writes it who has never heard of a sidecar. */
function deployment(name: string, spec: object = {}, args = ['serve', '8080']): Manifest {
  const container = {
    ...applicationContainer('application', args),
    ...(args[0] === 'serve'
      ? { readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 } }
      : {}),
  };
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [container], ...spec },
      },
    },
  };
}

function job(name: string): Manifest {
  const container = applicationContainer(name, ['get', 'http://server:8080/work']);
  const spec = { restartPolicy: 'Never', containers: [container] };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { spec } },
  };
}

function caBundles(cluster: Cluster, { name }: Installation): Promise<string> {
  const path = 'jsonpath={.webhooks[*].clientConfig.caBundle}';
  return cluster.kubectl(['get', 'mutatingwebhookconfiguration', name, '--output', path]);
}

function ready(namespace: Namespace, name: string): Promise<string> {
  return namespace.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=100s'], {
    timeoutMilliseconds: 120_000,
  });
}

/** What the sidecar of a Deployment's pod says of its handshakes. */
async function handshakes(namespace: Namespace, name: string): Promise<string> {
  const ask =
    "fetch('http://127.0.0.1:15000/handshakes').then(async (answer) => console.log(await answer.text()))";
  return namespace.exec(`deployment/${name}`, ['node', '-e', ask], 'sallyport');
}

function containersOf(namespace: Namespace, object: string): Promise<string> {
  return namespace.field(object, '.spec.initContainers[*].name');
}

/** A pod that wants nothing of the mesh and runs nowhere, since what counts is whether it is admitted. */
const BYSTANDER = pod('bystander', [applicationContainer('application', ['wait'])], {
  spec: { nodeSelector: { nowhere: 'true' } },
});

story(
  'helm install without values, a label, two Deployments: mutual TLS; what is refused says why; uninstall leaves nothing',
  async ({ cluster, namespace, turn, onTestFinished }) => {
    const mesh = new Installation(cluster, namespace.name.replace('story', 'sallyport'));
    // In the opposite order, whatever comes of each.
    onTestFinished(await turn.withMesh());
    onTestFinished(() => mesh.remove());
    const began = Date.now();
    await mesh.install();
    const installed = Date.now();
    await cluster.kubectl(['label', 'namespace', namespace.name, `${LABEL}=enabled`]);
    await namespace.apply(deployment('server'), service('server', 8080), deployment('client', {}, ['wait']));
    await Promise.all([ready(namespace, 'server'), ready(namespace, 'client')]);
    const ask = ['node', '/app/app.ts', 'get', 'http://server:8080/hello'];
    const answer = await eventually(() => namespace.exec('deployment/client', ask, 'application'));
    console.log(`installed after ${installed - began} ms, first answer ${Date.now() - installed} ms later`);
    expect(JSON.parse(answer)).toMatchObject({ path: '/hello' });
    // The identity of the client's ServiceAccount, seen by the server.
    await eventually(async () => {
      const seen = await handshakes(namespace, 'server');
      expect(seen).toContain(`spiffe://cluster.local/ns/${namespace.name}/sa/default`);
      expect(seen).toContain('"result":"ok"');
    });

    expect(await mesh.kubectl(['get', 'secrets', '--output=name'])).toContain(`${mesh.name}-revocations`);

    // Another version of the chart leaves alone what the controller wrote, and a Job in the mesh ends.
    const [before] = await Promise.all([caBundles(cluster, mesh), namespace.apply(job('work'))]);
    expect(before).toMatch(/^\S{400,} \S{400,}$/);
    await mesh.upgrade('controller.replicas=2');
    expect(await caBundles(cluster, mesh)).toBe(before);
    await namespace.until('Complete', ['job/work']);
    expect(await namespace.kubectl(['logs', 'job/work', '--container', 'work'])).toContain('"path":"/work"');
    await namespace.kubectl(['delete', 'job/work']);

    // A pod that wants none is left as it is; one that can't be in the mesh is refused where its owner looks.
    const free = { ...BYSTANDER, metadata: { name: 'free', labels: { [LABEL]: 'disabled' } } };
    await namespace.apply(free, deployment('wrong', { hostPID: true }));
    expect(await containersOf(namespace, 'pod/free')).toBe('');
    await eventually(async () => {
      const events = [
        'get',
        'events',
        '--field-selector=reason=FailedCreate',
        '--output=jsonpath={.items[*].message}',
      ];
      const said = await namespace.kubectl(events);
      expect(said).toContain('pod-in-host-processes: spec.hostPID: true');
      expect(said).toContain('label the pod mesh.sallyport.dev/inject=disabled');
    });
    await namespace.kubectl(['delete', 'deployment/wrong', 'pod/free']);

    // Pods live on it: it is not taken away under them.
    await expect(mesh.uninstall()).rejects.toThrow(
      new RegExp(`${namespace.name}/server-[^]*rollout restart`),
    );

    // Without the webhook no pod slips in unmeshed, and nobody else waits for it.
    await mesh.scale(0);
    await namespace.refuses(BYSTANDER, 'failed calling webhook "namespace.inject.mesh.sallyport.dev"');
    const elsewhere = ['--namespace', mesh.namespace, 'apply', '-f', '-'];
    await cluster.kubectl(elsewhere, { input: JSON.stringify(BYSTANDER) });
    await cluster.kubectl(['--namespace', mesh.namespace, 'delete', 'pod/bystander', '--force']);
    expect(await namespace.exec('deployment/client', ask, 'application')).toContain('/hello');
    await cluster.kubectl(['delete', 'mutatingwebhookconfiguration', mesh.name]);
    await namespace.refuses(BYSTANDER, 'the pod has no sidecar');
    await mesh.scale(1);

    await cluster.kubectl(['label', 'namespace', namespace.name, `${LABEL}-`]);
    await namespace.kubectl(['delete', 'deployment/server', 'deployment/client', '--cascade=foreground']);
    await mesh.uninstall();
    await eventually(async () => expect(await mesh.leftovers()).toBe(''), 60_000);
    for (const secret of [`${mesh.name}-ca`, `${mesh.name}-revocations`])
      await expectGone(() => mesh.kubectl(['get', 'secret', secret]));
  },
  900_000,
);
