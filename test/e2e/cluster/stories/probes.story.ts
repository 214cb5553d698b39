import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { makeAuthority } from '#identity/testing';
import { eventually } from '../command.ts';
import { applicationContainer, type Manifest, pod } from '../namespace.ts';
import { APPLICATION, app, NO_ANSWER, shopMesh } from '../shop.ts';
import { story } from '../story.ts';

const tokenOf = (): string => randomBytes(16).toString('hex');
/** What a pod with probes becomes: each asks the sidecar, by a path of this pod. */
const asked = (token: string, more: object = {}): unknown => ({
  httpGet: { port: 15020, path: `/probe/${token}` },
  periodSeconds: 1,
  failureThreshold: 180,
  timeoutSeconds: 10,
  ...more,
});
const hook = (token: string): unknown => ({ httpGet: { port: 15020, path: `/probe/${token}` } });

/** kubelet starts a pod's containers in their order and waits for each one's postStart: the next begin once this answers. */
const LISTENING = {
  exec: {
    command: [
      'node',
      '-e',
      `const ask = () => require('node:net').connect(9000).on('connect', () => process.exit()).on('error', () => setTimeout(ask, 50)); ask()`,
    ],
  },
};

/** An application's own certificate, which nobody knows. */
function certificate(): Manifest {
  const { pem } = makeAuthority({ trustDomain: 'own' }).makeLeaf({ spiffeId: 'spiffe://own/a' });
  const data = { 'own.pem': `${pem.chain}\n${pem.key}` };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own' }, data };
}

story(
  'probes of every kind and hooks pass under Strict, and open nothing to the network',
  async ({ namespace }) => {
    const mesh = await shopMesh(namespace, ['server', 'client'], []);
    const [http, https, tcp, grpc, started, stopping] = [
      tokenOf(),
      tokenOf(),
      tokenOf(),
      tokenOf(),
      tokenOf(),
      tokenOf(),
    ];
    const probes = [
      { token: http, http: { port: 8080, path: '/live' } },
      { token: https, http: { port: 8443, path: '/secure', scheme: 'HTTPS' } },
      { token: tcp, tcp: { port: 8080 } },
      { token: grpc, grpc: { port: 9000 } },
      { token: started, http: { port: 8080, path: '/started' } },
      { token: stopping, http: { port: 8080, path: '/stopping' } },
    ];
    const exec = {
      exec: { command: ['node', '-e', ''] },
      periodSeconds: 5,
      failureThreshold: 180,
      timeoutSeconds: 30,
    };
    const container = (name: string, more: object): unknown => ({
      ...applicationContainer(name, ['wait']),
      ...more,
    });
    const application = {
      ...applicationContainer('application', ['probed', '/own/own.pem']),
      volumeMounts: [{ name: 'own', mountPath: '/own' }],
      startupProbe: asked(tcp),
      livenessProbe: asked(http),
      readinessProbe: asked(grpc),
      // Its own hook, for kubelet asks that before it ends this container and no other.
      lifecycle: { postStart: LISTENING, preStop: hook(stopping) },
    };
    const server = mesh.pod(
      'server',
      [
        application,
        // A container that a pod has besides, whose probes ask the same application: every kind in every place.
        container('second', {
          startupProbe: asked(https),
          livenessProbe: asked(tcp),
          readinessProbe: asked(http),
        }),
        // A hook that got no answer would end it.
        container('third', {
          startupProbe: exec,
          livenessProbe: asked(grpc),
          readinessProbe: asked(https),
          lifecycle: { postStart: hook(started) },
        }),
      ],
      { probes },
    );
    const volumes = (server.spec as { volumes: unknown[] }).volumes;
    volumes.push({ name: 'own', configMap: { name: 'own' } });
    await namespace.apply(
      certificate(),
      server,
      mesh.pod('client', APPLICATION),
      pod('stranger', APPLICATION),
    );
    await namespace.until('Ready', ['pod/server', 'pod/client', 'pod/stranger']);
    const log = await namespace.kubectl(['logs', 'server', '--container', 'application']);
    for (const path of ['/live', '/secure', '/started', '/grpc.health.v1.Health/Check'])
      expect(log).toContain(path);

    const [address = ''] = await namespace.addresses('server');
    const ask = (from: string, port: number, path: string): Promise<string> =>
      app(namespace, from, 'status', `http://${address}:${port}${path}`);
    // Whoever does not know the path learns nothing and reaches nothing.
    expect(await ask('stranger', 15020, `/probe/${tokenOf()}`)).toBe('404\n');
    expect(await ask('stranger', 15020, '/probe/')).toBe('404\n');
    expect(await ask('stranger', 15020, '/live')).toBe('404\n');
    for (const from of ['stranger', 'client']) {
      await expect(ask(from, 8080, '/live')).rejects.toThrow(NO_ANSWER);
    }
    expect(await namespace.field('pod/server', '.status.containerStatuses[*].restartCount')).toBe('0 0 0');

    // The sidecar outlives the application, so its hook passes too.
    const follow = namespace.kubectl(['logs', '--follow', 'server', '--container', 'application']);
    await namespace.kubectl(['delete', 'pod', 'server', '--grace-period=60']);
    expect(await follow).toContain('/stopping');
  },
);

story(
  'a probe with a wrong path fails: the pod is not ready, and its application was not asked',
  async ({ namespace }) => {
    const mesh = await shopMesh(namespace, ['server'], []);
    const application = {
      ...applicationContainer('application', ['serve', '8080']),
      readinessProbe: asked(tokenOf()),
    };
    const probes = [{ token: tokenOf(), http: { port: 8080, path: '/live' } }];
    await namespace.apply(mesh.pod('server', [application], { probes }));
    await eventually(async () => {
      const events = await namespace.kubectl(['get', 'events', '--output', 'jsonpath={.items[*].message}']);
      expect(events).toContain('Readiness probe failed: HTTP probe failed with statuscode: 404');
    }, 120_000);
    await expect(namespace.until('Ready', ['pod/server'], 1)).rejects.toThrow('timed out');
    expect(await namespace.kubectl(['logs', 'server', '--container', 'application'])).toBe('');
  },
);
