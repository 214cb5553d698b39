import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidr } from '../../testing/cidr.ts';
import { type Answer, UNKNOWN, versionOf } from './answer.ts';
import { Graph } from './graph.ts';
import type {
  NodeRecord,
  ObjectChange,
  PodRecord,
  ServiceRecord,
  SliceEndpoint,
  SliceRecord,
} from './records.ts';

const clusterNetworks = ['10.1.0.0/16', '10.96.0.0/16', 'fd00::/16'].map(cidr);

function pod(name: string, more: Partial<PodRecord> = {}): ObjectChange {
  const record: PodRecord = {
    uid: `uid-${name}`,
    namespace: 'shop',
    name,
    serviceAccount: name,
    meshed: true,
    hostNetwork: false,
    ended: false,
    terminating: false,
    since: 0,
    addresses: ['10.1.0.1'],
    ...more,
  };
  return { kind: 'pods', key: `shop/${name}`, record };
}

function service(name: string, more: Partial<ServiceRecord> = {}): ObjectChange {
  const record: ServiceRecord = {
    namespace: 'shop',
    name,
    clusterAddresses: ['10.96.0.1'],
    externalAddresses: [],
    ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: undefined }],
    affinityMilliseconds: undefined,
    local: false,
    trafficDistribution: undefined,
    ...more,
  };
  return { kind: 'services', key: `shop/${name}`, record };
}

function endpoint(address: string, podUid?: string, more: Partial<SliceEndpoint> = {}): SliceEndpoint {
  return { address, ready: true, drains: false, node: 'n1', zone: 'z1', podUid, ...more };
}

function slice(name: string, endpoints: SliceEndpoint[], more: Partial<SliceRecord> = {}): ObjectChange {
  const record: SliceRecord = {
    service: 'shop/orders',
    family: 'IPv4',
    ports: new Map([['http', 8080]]),
    endpoints,
    ...more,
  };
  return { kind: 'endpointslices', key: `shop/${name}`, record };
}

function node(name: string, more: Partial<NodeRecord> = {}): ObjectChange {
  return { kind: 'nodes', key: name, record: { addresses: ['192.0.2.1'], podNetworks: [], ...more } };
}

function gone({ kind, key }: ObjectChange): ObjectChange {
  return { kind, key, record: undefined };
}

function graphOf(...changes: readonly ObjectChange[]): Graph {
  const graph = new Graph({ clusterNetworks });
  for (const change of changes) graph.apply(change);
  return graph;
}

/** `meshed web`, `unmeshed`, `unmeshed host` or `unknown` for a workload. */
function whoAt(graph: Graph, address: string, port = 80): string {
  const answer = graph.answer(address, port);
  return answer.kind === 'workload' ? partyText(answer.party) : answer.kind;
}

function partyText(party: Exclude<Answer, { kind: 'unknown' | 'service' }>['party']): string {
  if (party.kind === 'meshed') return `meshed ${party.serviceAccount}`;
  return party.pod ? 'unmeshed' : 'unmeshed host';
}

/** `address:port who` of each endpoint, `-` before those that terminate. */
function endpointsAt(graph: Graph, address: string, port: number): string[] {
  const answer = graph.answer(address, port);
  if (answer.kind !== 'service') return [answer.kind];
  return answer.endpoints.map(
    (one) => `${one.terminating ? '-' : ''}${one.address}:${one.port} ${partyText(one.party)}`,
  );
}

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
    expect(graph.networks()).toEqual(['10.1.0.1/32', '203.0.113.1/32']);
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
const address = fc.constantFrom('10.1.0.1', '10.1.0.2', '192.0.2.1', '198.51.100.1', 'fd00::1');
const clusterAddress = fc.constantFrom('10.96.0.1', '10.96.0.2', 'fd00:96::1');
const name = fc.constantFrom('a', 'b', 'c');
const uid = fc.constantFrom('uid-a', 'uid-b', 'uid-c', 'uid-d');
const portName = fc.constantFrom('', 'http');
const anyPod = fc
  .record({
    // One uid belongs to one name in a cluster, but a name to several uids.
    name,
    again: fc.boolean(),
    serviceAccount: name,
    meshed: fc.boolean(),
    hostNetwork: fc.boolean(),
    ended: fc.boolean(),
    terminating: fc.boolean(),
    since: fc.nat(3),
    addresses: fc.uniqueArray(address, { maxLength: 2 }),
  })
  .map(({ again, ...more }) => pod(more.name, { ...more, uid: `uid-${more.name}${again ? '-again' : ''}` }));
const anyService = fc
  .record({
    name,
    clusterAddresses: fc.uniqueArray(clusterAddress, { maxLength: 2 }),
    externalAddresses: fc.uniqueArray(address, { maxLength: 1 }),
    ports: fc.array(
      fc.record({
        name: portName,
        port: fc.constantFrom(80, 443),
        targetPort: fc.constantFrom(undefined, 8080),
        nodePort: fc.constantFrom(undefined, 30_000, 30_001),
      }),
      { maxLength: 2 },
    ),
    local: fc.boolean(),
  })
  .map((more) => service(more.name, more));
const anySlice = fc
  .record({
    slice: name,
    service: name.map((one) => `shop/${one}`),
    family: fc.constantFrom('IPv4' as const, 'IPv6' as const),
    ports: fc.uniqueArray(portName).map((names) => new Map(names.map((one) => [one, 8080]))),
    endpoints: fc.array(
      fc.record({
        address,
        ready: fc.boolean(),
        drains: fc.boolean(),
        node: fc.constantFrom(undefined, 'n1'),
        zone: fc.constant(undefined),
        podUid: fc.option(uid, { nil: undefined }),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ slice: own, endpoints, ...more }) => slice(own, endpoints, more));
const anyNode = fc
  .record({
    name,
    addresses: fc.uniqueArray(address, { maxLength: 1 }),
    podNetworks: fc.uniqueArray(fc.constantFrom('10.1.0.0/24', '198.51.100.0/24'), { maxLength: 1 }),
  })
  .map(({ name: own, ...more }) => node(own, more));
const anyChange = fc
  .tuple(fc.oneof(anyPod, anyPod, anyService, anySlice, anyNode), fc.nat(4))
  .map(([change, one]) => (one === 0 ? gone(change) : change));

const ASKED = [
  '10.1.0.1',
  '10.1.0.2',
  '192.0.2.1',
  '198.51.100.1',
  'fd00::1',
  '10.96.0.1',
  '10.96.0.2',
  'fd00:96::1',
].flatMap((host) => [0, 80, 443, 30_000, 30_001].map((port) => ({ host, port })));

test('after any changes says what a graph made of the objects that are left says, and told of each place that changed', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 40 }), (changes) => {
      const graph = new Graph({ clusterNetworks });
      const left = new Map<string, ObjectChange>();
      const known = new Map(ASKED.map((one) => [one, versionOf(UNKNOWN)]));
      for (const change of changes) {
        const { addresses, nodePorts } = graph.apply(change);
        left.delete(`${change.kind} ${change.key}`);
        if (change.record !== undefined) left.set(`${change.kind} ${change.key}`, change);
        // What a subscriber holds who asks again only where he was told to.
        for (const one of ASKED) {
          if (!addresses.has(one.host) && !nodePorts.has(one.port)) continue;
          known.set(one, versionOf(graph.answer(one.host, one.port)));
        }
        for (const one of ASKED) {
          expect(known.get(one)).toBe(versionOf(graph.answer(one.host, one.port)));
        }
      }
      for (const order of [[...left.values()], [...left.values()].reverse()]) {
        const rebuilt = graphOf(...order);
        for (const { host, port } of ASKED) {
          expect(graph.answer(host, port)).toEqual(rebuilt.answer(host, port));
        }
        expect(graph.networks()).toEqual(rebuilt.networks());
      }
    }),
    { numRuns: 500 },
  );
});

test('never licenses plaintext to an address that a pod with a sidecar claims', () => {
  fc.assert(
    fc.property(fc.array(anyPod, { maxLength: 12 }), (changes) => {
      const graph = graphOf(...changes);
      const last = new Map(changes.map((change) => [change.key, change.record as PodRecord]));
      for (const host of ['10.1.0.1', '10.1.0.2', 'fd00::1']) {
        const claimants = [...last.values()].filter(
          (one) => one.addresses.includes(host) && !one.ended && !one.hostNetwork,
        );
        if (whoAt(graph, host) !== 'unmeshed') continue;
        expect(claimants.some(({ meshed }) => meshed)).toBe(false);
        expect(claimants.some(({ terminating }) => !terminating)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
