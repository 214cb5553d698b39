import { describe, expect, test } from 'vitest';
import { UNKNOWN } from './answer.ts';
import { endpoint, endpointsAt, gone, graphOf, node, pod, service, slice, whoAt } from './testing.ts';

describe("a pod's address", () => {
  test.each([
    ['meshed', {}, 'meshed web'],
    ['meshed and terminating', { terminating: true }, 'meshed web'],
    ['unmeshed', { meshed: false }, 'unmeshed'],
    // Its address is freed before the API server hears of its end: another may have it.
    ['unmeshed and terminating', { meshed: false, terminating: true }, 'unknown'],
    ['ended', { meshed: false, ended: true }, 'unknown'],
    ['ended, meshed', { ended: true }, 'unknown'],
    ['on the network of a host that is not known', { hostNetwork: true }, 'unknown'],
  ])('of one that is %s', (_, more, expected) => {
    expect(whoAt(graphOf(pod('web', more)), '10.1.0.1')).toBe(expected);
  });

  test.each([
    [
      'a newer pod has it, not one that is terminating',
      { terminating: true, since: 9 },
      { since: 1 },
      'meshed b',
    ],
    ['the newest pod has it', { since: 1 }, { since: 2 }, 'meshed b'],
    ['a pod that ended holds nothing', { since: 2, ended: true }, { since: 1, meshed: false }, 'unmeshed'],
    [
      'is not given plaintext while a meshed pod may still have it',
      { since: 1, terminating: true },
      { since: 2, meshed: false },
      'unknown',
    ],
    [
      'is meshed at once when a meshed pod takes it over',
      { since: 1, meshed: false },
      { since: 2 },
      'meshed b',
    ],
  ])('that two claim: %s', (_, a, b, expected) => {
    expect(whoAt(graphOf(pod('a', a), pod('b', b)), '10.1.0.1')).toBe(expected);
    expect(whoAt(graphOf(pod('b', b), pod('a', a)), '10.1.0.1')).toBe(expected);
  });

  test('a pod of the same name and another uid is another pod', () => {
    const graph = graphOf(pod('db-0'), pod('db-0', { uid: 'new', addresses: ['10.1.0.2'] }));
    expect(whoAt(graph, '10.1.0.1')).toBe('unknown');
    expect(whoAt(graph, '10.1.0.2')).toBe('meshed db-0');
  });

  test('dual-stack: each of its addresses', () => {
    const graph = graphOf(pod('web', { addresses: ['10.1.0.1', 'fd00::1'] }));
    expect(whoAt(graph, 'fd00::1')).toBe('meshed web');
  });
});

describe("a node's address", () => {
  test('stands for no workload, even where a meshed pod is on the network of the host', () => {
    const graph = graphOf(node('n1'), pod('agent', { hostNetwork: true, addresses: ['192.0.2.1'] }));
    expect(whoAt(graph, '192.0.2.1', 10_250)).toBe('unmeshed host');
  });

  test('leads to the Service at its nodePort', () => {
    const ports = [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }];
    const graph = graphOf(
      node('n1'),
      pod('web'),
      service('orders', { ports }),
      slice('a', [endpoint('10.1.0.1', 'uid-web')]),
    );
    expect(endpointsAt(graph, '192.0.2.1', 30_080)).toEqual(['10.1.0.1:8080 meshed web']);
    expect(whoAt(graph, '192.0.2.1', 80)).toBe('unmeshed host');
  });
});

describe('a Service', () => {
  const base = [pod('web'), service('orders')];

  test('has nobody behind a port that it does not have', () => {
    expect(graphOf(...base).answer('10.96.0.1', 81)).toEqual(UNKNOWN);
    expect(endpointsAt(graphOf(...base), '10.96.0.1', 80)).toEqual([]);
  });

  test('with meshed and unmeshed endpoints', () => {
    const graph = graphOf(
      ...base,
      pod('old', { meshed: false, addresses: ['10.1.0.2'] }),
      slice('a', [endpoint('10.1.0.2', 'uid-old'), endpoint('10.1.0.1', 'uid-web')]),
    );
    expect(endpointsAt(graph, '10.96.0.1', 80)).toEqual([
      '10.1.0.1:8080 meshed web',
      '10.1.0.2:8080 unmeshed',
    ]);
  });

  test('leaves out an endpoint whose address another pod has by now', () => {
    const changes = [...base, slice('a', [endpoint('10.1.0.1', 'uid-web')])];
    expect(endpointsAt(graphOf(...changes, pod('thief', { since: 5 })), '10.96.0.1', 80)).toEqual([]);
    expect(endpointsAt(graphOf(...changes, gone(pod('web')), pod('thief')), '10.96.0.1', 80)).toEqual([]);
    // Told of the pod later than of the slice.
    expect(endpointsAt(graphOf(changes[1]!, changes[2]!), '10.96.0.1', 80)).toEqual([]);
  });

  test('named ports lead where each slice says, and a slice without a number to the targetPort', () => {
    const graph = graphOf(
      ...base,
      pod('b', { addresses: ['10.1.0.2'] }),
      pod('c', { addresses: ['10.1.0.3'] }),
      slice('a', [endpoint('10.1.0.1', 'uid-web')], { ports: new Map([['http', 9090]]) }),
      slice('b', [endpoint('10.1.0.2', 'uid-b')], { ports: new Map([['http', undefined]]) }),
      slice('c', [endpoint('10.1.0.3', 'uid-c')], { ports: new Map([['metrics', 1]]) }),
    );
    expect(endpointsAt(graph, '10.96.0.1', 80)).toEqual([
      '10.1.0.1:9090 meshed web',
      '10.1.0.2:8080 meshed b',
    ]);
    graph.apply(slice('a', [endpoint('10.1.0.1', 'uid-web')], { ports: new Map([['http', 7070]]) }));
    expect(endpointsAt(graph, '10.96.0.1', 80)[0]).toBe('10.1.0.1:7070 meshed web');
  });

  test('endpoints: ready ones, those that terminate but serve, and each once', () => {
    const graph = graphOf(
      ...base,
      pod('b', { addresses: ['10.1.0.2'], terminating: true }),
      pod('c', { addresses: ['10.1.0.3'] }),
      slice('a', [
        endpoint('10.1.0.1', 'uid-web', { ready: false, drains: true }),
        endpoint('10.1.0.2', 'uid-b', { ready: false, drains: true }),
        endpoint('10.1.0.3', 'uid-c', { ready: false }),
      ]),
      slice('b', [endpoint('10.1.0.1', 'uid-web')]),
    );
    expect(endpointsAt(graph, '10.96.0.1', 80)).toEqual([
      '10.1.0.1:8080 meshed web',
      '-10.1.0.2:8080 meshed b',
    ]);
  });

  test('of two families has the endpoints of the family that was called', () => {
    const graph = graphOf(
      pod('web', { addresses: ['10.1.0.1', 'fd00::1'] }),
      service('orders', { clusterAddresses: ['10.96.0.1', 'fd00:96::1'] }),
      slice('four', [endpoint('10.1.0.1', 'uid-web')]),
      slice('six', [endpoint('fd00::1', 'uid-web')], { family: 'IPv6' }),
    );
    expect(endpointsAt(graph, '10.96.0.1', 80)).toEqual(['10.1.0.1:8080 meshed web']);
    expect(endpointsAt(graph, 'fd00:96::1', 80)).toEqual(['fd00::1:8080 meshed web']);
  });

  test('endpoints that were made for no pod: by who has the address, and plaintext only outside', () => {
    const graph = graphOf(
      ...base,
      node('n1'),
      slice(
        'a',
        ['10.1.0.1', '10.1.0.9', '192.0.2.1', '198.51.100.7'].map((one) => endpoint(one)),
      ),
    );
    expect(endpointsAt(graph, '10.96.0.1', 80)).toEqual([
      '10.1.0.1:8080 meshed web',
      '192.0.2.1:8080 unmeshed host',
      '198.51.100.7:8080 unmeshed host',
    ]);
    graph.apply(node('n2', { addresses: [], podNetworks: ['198.51.100.0/24'] }));
    expect(endpointsAt(graph, '10.96.0.1', 80)).toHaveLength(2);
  });

  test('the API server: an endpoint on the network of a host', () => {
    const graph = graphOf(
      service('orders'),
      pod('apiserver', { hostNetwork: true, addresses: ['192.0.2.1'] }),
      slice('a', [endpoint('192.0.2.1', 'uid-apiserver')]),
    );
    expect(endpointsAt(graph, '10.96.0.1', 80)).toEqual(['192.0.2.1:8080 unmeshed host']);
  });

  test('external addresses lead to it, but never take over a pod', () => {
    const graph = graphOf(
      pod('web'),
      service('orders', { externalAddresses: ['203.0.113.1', '10.1.0.1'] }),
      slice('a', [endpoint('10.1.0.1', 'uid-web')]),
    );
    expect(endpointsAt(graph, '203.0.113.1', 80)).toEqual(['10.1.0.1:8080 meshed web']);
    expect(graph.answer('203.0.113.1', 81)).toEqual(UNKNOWN);
    expect(whoAt(graph, '10.1.0.1')).toBe('meshed web');
    expect(graph.networks()).toEqual({ networks: ['10.1.0.1/32', '203.0.113.1/32'], cut: 0 });
  });

  test('affinity and traffic policy are passed on', () => {
    const graph = graphOf(service('orders', { affinityMilliseconds: 10_800_000, local: true }));
    expect(graph.answer('10.96.0.1', 80)).toMatchObject({ affinityMilliseconds: 10_800_000, local: true });
  });
});

test('a change of a slice concerns its Service and nobody else', () => {
  const graph = graphOf(service('orders'), service('other', { clusterAddresses: ['10.96.0.2'] }), pod('web'));
  const affected = graph.apply(slice('a', [endpoint('10.1.0.1', 'uid-web')]));
  expect([...affected.addresses]).toEqual(['10.96.0.1']);
  // The pod's own address, and the Service that it stands behind.
  expect([...graph.apply(pod('web', { terminating: true })).addresses].sort()).toEqual([
    '10.1.0.1',
    '10.96.0.1',
  ]);
});

// Few names and addresses, so that objects meet.
