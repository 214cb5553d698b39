import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { whyNotTls13 } from '../../../support/wire.ts';
import type { Namespace } from '../namespace.ts';
import { APPLICATION, app, clusterAddresses, reach, shopMesh } from '../shop.ts';
import { needsSniffer, wireOf } from '../sniffer.ts';
import { nodePairs, story } from '../story.ts';

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
