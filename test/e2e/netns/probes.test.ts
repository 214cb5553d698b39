import { expect, test, vi } from 'vitest';
import type { Machine } from '../../support/netns.ts';
import { type MeshedPod, NamespaceMesh } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const TOKENS = {
  live: 'a'.repeat(32),
  dead: 'b'.repeat(32),
  moved: 'c'.repeat(32),
  tcp: 'd'.repeat(32),
  none: 'e'.repeat(32),
};
const PROBES = `
probes:
  - { token: ${TOKENS.live}, http: { port: 8080, path: /live } }
  - { token: ${TOKENS.dead}, http: { port: 8080, path: /dead } }
  - { token: ${TOKENS.moved}, http: { port: 8080, path: /moved } }
  - { token: ${TOKENS.tcp}, tcp: { port: 5432 } }
  - { token: ${TOKENS.none}, http: { port: 9999, path: / } }
`;

/** Takes the place of a kubelet: a host outside of the mesh. */
function asks(from: Machine, host: string, path: string, ...more: readonly string[]): string {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:15020${path}`;
  const { code, stdout } = from.run('curl', [
    '-s',
    '-m',
    '5',
    '-w',
    '%{http_code}',
    '-A',
    'kube-probe/1.36',
    ...more,
    url,
  ]);
  return code === 0 ? stdout : `curl ${code}`;
}

async function probedPod(mesh: NamespaceMesh): Promise<MeshedPod> {
  const pod = await mesh.start('orders', { settings: PROBES });
  await pod.machine.start(process.execPath, ['test/e2e/netns/programs/probed.ts']).says(/listening/);
  return pod;
}

test('under Strict a probe passes by its path, with the status of the application and nothing else of it', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['orders']);
  const pod = await mesh.start('orders', { settings: PROBES });
  const application = pod.machine.start(process.execPath, ['test/e2e/netns/programs/probed.ts']);
  await application.says(/listening/);
  for (const host of [pod.ipv4, pod.ipv6]) {
    expect(asks(mesh.outside, host, `/probe/${TOKENS.live}`)).toBe('200');
    // It was asked by the same family, at the pod's own address.
    await application.says(new RegExp(`/live kube-probe/1.36 (::ffff:)?${host}\n`));
    expect(asks(mesh.outside, host, `/probe/${TOKENS.dead}`)).toBe('500');
    expect(asks(mesh.outside, host, `/probe/${TOKENS.moved}`)).toBe('200');
    expect(asks(mesh.outside, host, `/probe/${TOKENS.tcp}`)).toBe('200');
    // 52: nothing came back. An answer would be a success for a hook.
    expect(asks(mesh.outside, host, `/probe/${TOKENS.none}`)).toMatch(/^curl (52|56)$/);
  }
  await pod.sidecar.says(/(a probe failed.*){2}/s);
  expect(pod.lines.filter(({ message }) => message === 'a probe failed')).toMatchObject([
    { kind: 'http', port: 9_999, reason: 'application-unreachable' },
    { kind: 'http', port: 9_999, reason: 'application-unreachable' },
  ]);
  for (const token of Object.values(TOKENS)) expect(pod.sidecar.output).not.toContain(token);
});

test('who does not know the path reaches nothing, and learns nothing', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['orders']);
  const pod = await probedPod(mesh);
  const nothing = asks(mesh.outside, pod.ipv4, '/no-such-thing');
  expect(nothing).toMatch(/404$/);
  for (const path of [
    '/probe',
    '/probe/',
    `/probe/${'f'.repeat(32)}`,
    `/probe/${TOKENS.live}x`,
    `/probe/${TOKENS.live.slice(1)}`,
    `/probe/${TOKENS.live.toUpperCase()}`,
    `/probe//${TOKENS.live}`,
    `/probe/${TOKENS.live}/`,
    `/probe/${TOKENS.live}/../live`,
    '/live',
    '/probe/%61',
  ]) {
    expect(asks(mesh.outside, pod.ipv4, path, '--path-as-is'), path).toBe(nothing);
  }
  // Only GET, as a kubelet asks; and a path is no way to another method, body or header.
  expect(asks(mesh.outside, pod.ipv4, `/probe/${TOKENS.live}`, '-X', 'POST', '-d', 'x')).toMatch(/405$/);
  // The application itself stays where it was: behind mutual TLS.
  const direct = mesh.outside.run('curl', ['-s', '-m', '5', `http://${pod.ipv4}:8080/live`]);
  expect(direct.code).not.toBe(0);
});

test('hundreds of silent connections do not keep the kubelet out', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['orders']);
  const pod = await probedPod(mesh);
  const crowd = mesh.outside.start(process.execPath, [
    'test/e2e/netns/programs/crowd.ts',
    pod.ipv4,
    '15020',
    '600',
  ]);
  await crowd.says(/there/);
  for (let turn = 0; turn < 20; turn += 1)
    expect(asks(mesh.outside, pod.ipv4, `/probe/${TOKENS.live}`)).toBe('200');
  expect(asks(mesh.outside, pod.ipv4, '/ready')).toMatch(/200$/);
});
