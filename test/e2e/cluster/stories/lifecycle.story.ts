import { expect } from 'vitest';
import { eventually } from '../command.ts';
import { applicationContainer } from '../namespace.ts';
import { APPLICATION, reach, shopMesh } from '../shop.ts';
import { story } from '../story.ts';

const GRACE_SECONDS = 120;

story(
  'a pod is ready only after its sidecar: the startup probe was answered through the redirect',
  async ({ namespace }) => {
    const mesh = await shopMesh(namespace, ['server'], []);
    await namespace.apply(mesh.pod('server', APPLICATION));
    await namespace.until('Ready', ['pod/server']);
    const log = await namespace.kubectl(['logs', 'server', '--container', 'sidecar']);
    expect(log).toContain('inbound capture verified');
  },
);

story('a sidecar whose pod has no capture never becomes ready, and says why', async ({ namespace }) => {
  const mesh = await shopMesh(namespace, ['server'], []);
  const whole = mesh.pod('server', APPLICATION);
  const spec = whole.spec as { initContainers: readonly { name: string }[] };
  const initContainers = spec.initContainers.filter(({ name }) => name !== 'capture');
  await namespace.apply({ ...whole, spec: { ...spec, initContainers } });
  await eventually(async () => {
    const log = await namespace.kubectl(['logs', 'server', '--container', 'sidecar']);
    expect(log).toContain('nobody has verified inbound capture');
    expect(log).toContain('sallyport init');
  });
  await expect(namespace.until('Ready', ['pod/server'], 3)).rejects.toThrow('timed out');
});

story('an exec probe passes under Strict', async ({ namespace }) => {
  const mesh = await shopMesh(namespace, ['server'], []);
  const command = ['node', '/app/app.ts', 'get', 'http://127.0.0.1:8080/'];
  const readinessProbe = { exec: { command }, periodSeconds: 1, timeoutSeconds: 30 };
  await namespace.apply(
    mesh.pod('server', [{ ...applicationContainer('application', ['serve', '8080']), readinessProbe }]),
  );
  await namespace.until('Ready', ['pod/server']);
});

story('a pod ends well before its grace period, and its last words still get out', async ({ namespace }) => {
  const mesh = await shopMesh(namespace, ['client', 'server'], [{ from: 'client', to: 'server' }]);
  const farewell = { exec: { command: ['node', '/app/app.ts', 'get', 'http://server:8080/farewell'] } };
  const leaving = {
    ...applicationContainer('application', ['serve', '8080']),
    lifecycle: { preStop: farewell },
  };
  await namespace.apply(
    mesh.pod('server', APPLICATION),
    mesh.pod('client', [leaving], { spec: { terminationGracePeriodSeconds: GRACE_SECONDS } }),
  );
  await namespace.until('Ready', ['pod/server', 'pod/client']);
  await reach(namespace, 'client', 'server', 'server');
  const began = Date.now();
  await namespace.kubectl(['delete', 'pod', 'client', `--timeout=${GRACE_SECONDS}s`]);
  expect(Date.now() - began).toBeLessThan((GRACE_SECONDS / 2) * 1000);
  expect(await namespace.kubectl(['logs', 'server', '--container', 'application'])).toContain('/farewell');
});
