import { expect } from 'vitest';
import { applicationContainer, pod, service, toolsContainer } from '../namespace.ts';
import { APPLICATION, app, clusterAddresses, get, NO_ANSWER, reach, shopMesh } from '../shop.ts';
import { nodePairs, story } from '../story.ts';

story(
  'pods call each other by Service, headless name and pod IP, on one node and across two',
  async ({ cluster, namespace }) => {
    const mesh = await shopMesh(namespace, ['client', 'server'], [{ from: 'client', to: 'server' }]);
    for (const [index, [from, to]] of nodePairs(cluster).entries()) {
      await namespace.apply(
        mesh.pod(`client-${index}`, APPLICATION, { node: from, account: 'client' }),
        mesh.pod(`server-${index}`, APPLICATION, { node: to, account: 'server', labels: { app: 'server' } }),
      );
    }
    const pods = nodePairs(cluster).flatMap((_, index) => [`client-${index}`, `server-${index}`]);
    await namespace.until(
      'Ready',
      pods.map((name) => `pod/${name}`),
    );
    for (const [index] of nodePairs(cluster).entries()) {
      const addresses = await namespace.addresses(`server-${index}`);
      for (const host of [
        'server',
        'headless',
        ...(await clusterAddresses(namespace, 'server')),
        ...addresses,
      ]) {
        await reach(namespace, `client-${index}`, host, expect.stringMatching(/^server-/));
      }
    }
  },
);

story(
  'under Strict nobody without a certificate gets in, and nobody without a policy',
  async ({ namespace }) => {
    const mesh = await shopMesh(namespace, ['client', 'other', 'server'], [{ from: 'client', to: 'server' }]);
    await namespace.apply(
      mesh.pod('server', APPLICATION),
      mesh.pod('client', APPLICATION),
      mesh.pod('other', APPLICATION),
      pod('stranger', APPLICATION),
    );
    await namespace.until(
      'Ready',
      ['server', 'client', 'other', 'stranger'].map((name) => `pod/${name}`),
    );
    await reach(namespace, 'client', 'server', 'server');
    await expect(get(namespace, 'other', 'server')).rejects.toThrow(NO_ANSWER);
    await expect(get(namespace, 'stranger', 'server')).rejects.toThrow(NO_ANSWER);
  },
);

story(
  'what is outside the mesh is still reached, and what is not listed is refused',
  async ({ namespace }) => {
    const ca = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
    const client = {
      ...applicationContainer('application', ['wait']),
      env: [{ name: 'NODE_EXTRA_CA_CERTS', value: ca }],
    };
    await namespace.apply(
      service('outside', 8080),
      pod('outside', APPLICATION),
      pod('unlisted', APPLICATION),
    );
    const mesh = await shopMesh(namespace, ['client'], []);
    await namespace.apply(mesh.pod('client', [client]));
    await namespace.until('Ready', ['pod/client', 'pod/outside', 'pod/unlisted']);
    await reach(namespace, 'client', 'outside', 'outside');
    const version = await app(
      namespace,
      'client',
      'get',
      'https://kubernetes.default.svc.cluster.local/version',
    );
    expect(JSON.parse(version)).toMatchObject({ platform: expect.stringContaining('linux/') });
    expect(await app(namespace, 'client', 'resolve', `outside.${namespace.name}.svc.cluster.local`)).not.toBe(
      '',
    );
    for (const address of await namespace.addresses('unlisted')) {
      await expect(get(namespace, 'client', address)).rejects.toThrow(NO_ANSWER);
    }
  },
);

story('a Job in the mesh calls a service and completes', async ({ namespace }) => {
  const mesh = await shopMesh(namespace, ['server', 'work'], [{ from: 'work', to: 'server' }]);
  await namespace.apply(mesh.pod('server', APPLICATION));
  await namespace.until('Ready', ['pod/server']);
  const work = applicationContainer('work', ['reach', 'http://server:8080/']);
  const template = mesh.pod('work', [work], { spec: { restartPolicy: 'Never' } });
  await namespace.apply({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'work' },
    spec: { backoffLimit: 0, template: { metadata: template.metadata, spec: template.spec } },
  });
  await namespace.until('Complete', ['job/work']);
  expect(await namespace.kubectl(['logs', 'job/work', '--container', 'work'])).toContain('"name":"server"');
});

story("an application's init container has network, through the sidecar", async ({ namespace }) => {
  const mesh = await shopMesh(namespace, ['client', 'server'], [{ from: 'client', to: 'server' }]);
  await namespace.apply(mesh.pod('server', APPLICATION));
  await namespace.until('Ready', ['pod/server']);
  const init = applicationContainer('migrate', ['reach', 'http://server:8080/']);
  await namespace.apply(
    mesh.pod('client', [toolsContainer('application', 'sleep 3600')], { afterSidecar: [init] }),
  );
  await namespace.until('Ready', ['pod/client']);
  expect(await namespace.kubectl(['logs', 'client', '--container', 'migrate'])).toContain('"name":"server"');
});
