import { describe, expect, test } from 'vitest';
import { UNKNOWN } from './answer.ts';
import { Graph } from './graph.ts';
import {
  clusterNetworks,
  endpoint,
  endpointsAt,
  gone,
  graphOf,
  node,
  pod,
  service,
  serviceNetworks,
  slice,
} from './testing.ts';

describe('a namespace owner who writes Services, slices and pods', () => {
  const victim = [
    node('n1'),
    pod('web'),
    service('victim', {
      clusterAddresses: ['10.200.0.1'],
      externalAddresses: ['203.0.113.1'],
      ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }],
    }),
    service('orders', { clusterAddresses: ['10.96.0.2'] }),
  ];
  test.each([
    ["a meshed pod's address, for nobody", '10.1.0.1', undefined, 8080, ['10.1.0.1:8080 meshed web']],
    ["a meshed pod's address, for a pod of theirs", '10.1.0.1', 'uid-theirs', 8080, []],
    ['an address that no pod has yet', '10.1.0.9', undefined, 8080, []],
    ["a Service's address outside every network", '10.200.0.1', undefined, 80, []],
    ["a load balancer's address", '203.0.113.1', undefined, 80, []],
    ["a node, at a Service's nodePort", '192.0.2.1', undefined, 30_080, []],
    ['a pod on the network of a host, at a nodePort', '192.0.2.1', 'uid-agent', 30_080, []],
    ['a pod that has ended', '10.1.0.7', 'uid-done', 8080, []],
    ['a pod that does not exist', '198.51.100.7', 'uid-nobody', 8080, []],
    ['somebody outside', '198.51.100.7', undefined, 8080, ['198.51.100.7:8080 unmeshed host']],
  ])('names %s: nobody is sent plaintext to a meshed pod', (_, address, podUid, port, expected) => {
    const graph = graphOf(
      ...victim,
      pod('theirs', { meshed: false, addresses: ['10.1.0.5'] }),
      pod('done', { meshed: false, ended: true, addresses: ['10.1.0.7'] }),
      pod('agent', { meshed: false, hostNetwork: true, addresses: ['192.0.2.1'] }),
      slice('a', [endpoint(address, podUid)], { ports: new Map([['http', port]]) }),
    );
    expect(endpointsAt(graph, '10.96.0.2', 80)).toEqual(expected);
  });

  test('gets no label of theirs into an identity: it is the service account of the pod that has the address', () => {
    const graph = graphOf(
      ...victim,
      pod('theirs', { serviceAccount: 'theirs', addresses: ['10.1.0.5'] }),
      slice('a', [endpoint('10.1.0.1', 'uid-web'), endpoint('10.1.0.5', 'uid-web')]),
    );
    expect(endpointsAt(graph, '10.96.0.2', 80)).toEqual(['10.1.0.1:8080 meshed web']);
  });

  test('makes no answer that no stream takes', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => endpoint(`198.51.${index >> 8}.${index & 255}`));
    const graph = new Graph({
      clusterNetworks,
      limits: { endpoints: 100, endpointsLooked: 200, networks: 3 },
    });
    for (const change of [...victim, slice('a', many)]) graph.apply(change);
    const answer = graph.answer('10.96.0.2', 80);
    expect(answer).toMatchObject({ cut: true });
    expect(endpointsAt(graph, '10.96.0.2', 80)).toHaveLength(100);
    graph.apply(
      slice(
        'a',
        many.map((one) => ({ ...one, ready: false })),
      ),
    );
    expect(graph.answer('10.96.0.2', 80)).toMatchObject({ cut: true, endpoints: [] });
    for (let index = 0; index < 9; index += 1) {
      const externalAddresses = [`203.0.113.${index + 10}`];
      graph.apply(service(`theirs-${index}`, { clusterAddresses: [], externalAddresses }));
    }
    // The nodes and Services of others stay; their external addresses are what is cut.
    expect(graph.networks()).toEqual({
      networks: ['10.200.0.1/32', '192.0.2.1/32', '203.0.113.1/32'],
      cut: 9,
    });
  });
});

test("the cluster's networks: of nodes' pods, of Services, and single addresses that are in none of them", () => {
  const graph = graphOf(pod('web', { addresses: ['172.16.0.1'] }), service('orders'));
  expect(graph.networks().networks).toEqual(['172.16.0.1/32']);
  const version = graph.networksVersion;
  graph.apply(serviceNetworks('kubernetes', '172.16.0.0/12', 'fd00:96::/112'));
  expect(graph.networksVersion).toBeGreaterThan(version);
  expect(graph.networks().networks).toEqual(['172.16.0.0/12', 'fd00:96::/112']);
  graph.apply(node('n1', { addresses: [], podNetworks: ['172.16.0.0/12'] }));
  graph.apply(gone(serviceNetworks('kubernetes')));
  expect(graph.networks().networks).toEqual(['172.16.0.0/12']);
  graph.apply(gone(node('n1')));
  graph.apply(pod('web'));
  expect(graph.networks().networks).toEqual([]);
});

test('a Service whose address changes leaves the old one to nobody', () => {
  const graph = graphOf(pod('web'), service('orders'), slice('a', [endpoint('10.1.0.1', 'uid-web')]));
  const { addresses } = graph.apply(service('orders', { clusterAddresses: ['10.96.0.9'] }));
  expect([...addresses].sort()).toEqual(['10.96.0.1', '10.96.0.9']);
  expect(graph.answer('10.96.0.1', 80)).toEqual(UNKNOWN);
  expect(endpointsAt(graph, '10.96.0.9', 80)).toEqual(['10.1.0.1:8080 meshed web']);
});

test('internalTrafficPolicy is said of the cluster address alone', () => {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }];
  const graph = graphOf(
    node('n1'),
    service('orders', { local: true, externalAddresses: ['203.0.113.1'], ports }),
  );
  const local = (host: string, port: number) => graph.answer(host, port);
  expect(local('10.96.0.1', 80)).toMatchObject({ local: true });
  expect(local('203.0.113.1', 80)).toMatchObject({ local: false });
  expect(local('192.0.2.1', 30_080)).toMatchObject({ local: false });
});
