import { expect } from 'vitest';
import { eventually } from '../command.ts';
import type { Namespace } from '../namespace.ts';
import { APPLICATION, get, NO_ANSWER, reach, shopMesh } from '../shop.ts';
import { story } from '../story.ts';

story(
  'policies and certificates that change where they are mounted hold without a restart',
  async ({ namespace }) => {
    const mesh = await shopMesh(namespace, ['client', 'other', 'server'], [{ from: 'client', to: 'server' }]);
    const pods = ['client', 'other', 'server'];
    await namespace.apply(...pods.map((name) => mesh.pod(name, APPLICATION)));
    await namespace.until(
      'Ready',
      pods.map((name) => `pod/${name}`),
    );
    await expect(get(namespace, 'other', 'server')).rejects.toThrow(NO_ANSWER);

    await mesh.allow({ from: 'other', to: 'server' });
    await mountedAnew(namespace, pods);
    await reach(namespace, 'other', 'server', 'server');
    await eventually(() => expect(get(namespace, 'client', 'server')).rejects.toThrow(NO_ANSWER));

    await mesh.accounts(...pods);
    await mountedAnew(namespace, pods);
    for (const name of pods) {
      await eventually(async () => {
        const log = await namespace.kubectl(['logs', name, '--container', 'sidecar']);
        expect(log).toMatch(/"what":"certificate and key".*"message":"files read"/);
      });
    }
    await reach(namespace, 'other', 'server', 'server');
    for (const name of pods) expect(await restarts(namespace, name)).toBe('0 0');
  },
);

/** kubelet looks at what pods mount once a minute, and when a pod changes. */
async function mountedAnew(namespace: Namespace, pods: readonly string[]): Promise<void> {
  await namespace.kubectl(['annotate', '--overwrite', 'pods', ...pods, `story/now=${Date.now()}`]);
}

/** Of the init container that is the sidecar, and of the application. */
function restarts(namespace: Namespace, name: string): Promise<string> {
  const sidecar = '.status.initContainerStatuses[?(@.name=="sidecar")].restartCount';
  return namespace.kubectl([
    'get',
    'pod',
    name,
    '--output',
    `jsonpath={${sidecar}} {.status.containerStatuses[0].restartCount}`,
  ]);
}
