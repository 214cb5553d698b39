import { expect, test } from 'vitest';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { injectPod } from './inject-pod.ts';
import { injectedPods } from './injected-pods.ts';
import { countedTokens, SETTINGS } from './testing/sample.ts';

function listed(name: string, phase: string, controllerNamespace?: string): object {
  const pod = {
    metadata: { name, namespace: 'shop' },
    spec: { containers: [{ name: 'web' }] },
    status: { phase },
  };
  if (controllerNamespace === undefined) return pod;
  const controller = { ...SETTINGS.controller, namespace: controllerNamespace };
  const injected = injectPod(pod, { ...SETTINGS, controller }, countedTokens());
  if (!injected.ok) throw new Error('refused');
  return injected.value;
}

test('those that live and depend on this controller, over all pages', async () => {
  const pages = [
    [listed('plain', 'Running'), listed('ours', 'Running', 'mesh'), listed('done', 'Succeeded', 'mesh')],
    [listed('theirs', 'Running', 'other'), listed('late', 'Pending', 'mesh')],
  ];
  const api: KubernetesApi = {
    send: (_, path) => {
      const page = path.includes('continue=') ? 1 : 0;
      const metadata = page === 0 ? { continue: 'more' } : {};
      return Promise.resolve({ status: 200, body: { items: pages[page], metadata } });
    },
  };
  expect(await injectedPods(api, 'mesh')).toEqual([
    { namespace: 'shop', name: 'ours', image: SETTINGS.image },
    { namespace: 'shop', name: 'late', image: SETTINGS.image },
  ]);
});

test('who may not list them is not told that there are none', async () => {
  const api: KubernetesApi = { send: () => Promise.resolve({ status: 403, body: { message: 'forbidden' } }) };
  await expect(injectedPods(api, 'mesh')).rejects.toThrow('forbidden');
});
