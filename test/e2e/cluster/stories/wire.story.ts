import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, type TestContext } from 'vitest';
import { temporaryFolder } from '../../../support/temporary.ts';
import { type Stream, streamsOf, whyNotTls13 } from '../../../support/wire.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../command.ts';
import type { Namespace } from '../namespace.ts';
import { APPLICATION, app, clusterAddresses, reach, shopMesh } from '../shop.ts';
import { nodePairs, story } from '../story.ts';

/** Until the last file is there, and a moment more: what has passed is not written at once. */
const SNIFF = `
tcpdump -Z root --immediate-mode -U -i "$1" -w "$2" tcp &
while [ ! -e "$3" ]; do sleep 0.2; done
sleep 1; kill -INT $!; wait $!`;
const SNIFFED_MILLISECONDS = 500_000;
/** Readiness and metrics, which are plaintext for the kubelet: listed in docs/capture.md. */
const CONTROL_PORTS = new Set([15_020, 15_021]);

/** The bare cluster's nodes have this machine's programs and files; those of kind are containers with their own. */
function needsSniffer(skip: TestContext['skip']): void {
  const handle = inject('cluster');
  if ('provider' in handle && handle.provider !== 'bare') skip('the nodes of kind have no tcpdump');
  if (spawnSync('which', ['tcpdump']).status !== 0) skip('tcpdump is not installed');
}

/** What passes the device of a pod on its node while `calls` are made, but for the control ports. */
async function wireOf(
  cluster: Cluster,
  namespace: Namespace,
  pod: string,
  calls: () => Promise<void>,
): Promise<readonly Stream[]> {
  const node = await namespace.field(`pod/${pod}`, '.spec.nodeName');
  const [address = ''] = await namespace.addresses(pod);
  const route = await cluster.onNode(node, ['ip', '-oneline', 'route', 'get', address]);
  const [, device = ''] = / dev (\S+)/.exec(route) ?? [];
  const file = join(temporaryFolder('wire'), 'wire.pcap');
  const enough = `${file}.enough`;
  const sniffed = cluster.onNode(node, ['sh', '-c', SNIFF, 'sh', device, file, enough], {
    timeoutMilliseconds: SNIFFED_MILLISECONDS,
  });
  try {
    await eventually(async () => expect(existsSync(file) && statSync(file).size).toBeGreaterThanOrEqual(24));
    await calls();
  } finally {
    writeFileSync(enough, '');
    await sniffed;
  }
  return streamsOf(file).filter(
    ({ fromPort, toPort }) => !CONTROL_PORTS.has(fromPort) && !CONTROL_PORTS.has(toPort),
  );
}

/** The canary goes as part of the path and comes back in the answer. */
async function canary(
  namespace: Namespace,
): Promise<{ readonly word: string; readonly calls: () => Promise<void> }> {
  const word = `canary-${randomBytes(8).toString('hex')}`;
  const hosts = [...(await clusterAddresses(namespace, 'server')), ...(await namespace.addresses('server'))];
  expect(hosts).toHaveLength(4);
  for (const host of hosts) await reach(namespace, 'client', host, 'server');
  return {
    word,
    calls: async () => {
      for (const host of hosts) {
        const url = `http://${host.includes(':') ? `[${host}]` : host}:8080/${word}`;
        expect(await app(namespace, 'client', 'get', url)).toContain(word);
      }
    },
  };
}

story(
  'on the wire between pods is TLS 1.3, and no word of what they say',
  async ({ cluster, namespace, skip }) => {
    needsSniffer(skip);
    const [from, to] = nodePairs(cluster).at(-1) ?? ['', ''];
    const mesh = await shopMesh(namespace, ['client', 'server'], [{ from: 'client', to: 'server' }]);
    await namespace.apply(
      mesh.pod('server', APPLICATION, { node: to }),
      mesh.pod('client', APPLICATION, { node: from }),
    );
    await namespace.until('Ready', ['pod/server', 'pod/client']);
    const { word, calls } = await canary(namespace);
    const streams = await wireOf(cluster, namespace, 'server', calls);
    // Both directions of each call.
    expect(streams.length).toBeGreaterThanOrEqual(8);
    for (const stream of streams) {
      expect(whyNotTls13(stream), stream.name).toBeUndefined();
      expect(stream.bytes.includes(word), stream.name).toBe(false);
    }
  },
);

story(
  'where mutual TLS is Disabled the same detector sees every word',
  async ({ cluster, namespace, skip }) => {
    needsSniffer(skip);
    const mesh = await shopMesh(namespace, ['client', 'server'], []);
    await mesh.files({ allow: [], destinations: [{ networks: ['10.0.0.0/8', 'fd00::/8'], unmeshed: true }] });
    const metadata = { name: 'open', namespace: namespace.name };
    const apiVersion = 'mesh.sallyport.dev/v1alpha1';
    await mesh.policies({
      'tls.yaml': { apiVersion, kind: 'MeshTLS', metadata, spec: { mode: 'Disabled' } },
      'policy.yaml': {
        apiVersion,
        kind: 'MeshPolicy',
        metadata,
        spec: { action: 'Allow', rules: [{ from: [{ peer: 'Any' }] }] },
      },
    });
    await namespace.apply(mesh.pod('server', APPLICATION), mesh.pod('client', APPLICATION));
    await namespace.until('Ready', ['pod/server', 'pod/client']);
    const { word, calls } = await canary(namespace);
    const streams = await wireOf(cluster, namespace, 'server', calls);
    expect(streams.length).toBeGreaterThanOrEqual(8);
    for (const stream of streams) {
      expect(whyNotTls13(stream), stream.name).toContain('begins with');
      expect(stream.bytes.includes(word), stream.name).toBe(true);
    }
  },
);
