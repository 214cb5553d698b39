import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { UNKNOWN, versionOf } from './answer.ts';
import { Graph } from './graph.ts';
import type { ObjectChange, PodRecord } from './records.ts';
import {
  clusterNetworks,
  gone,
  graphOf,
  node,
  pod,
  service,
  serviceNetworks,
  slice,
  whoAt,
} from './testing.ts';

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
    ports: fc
      .uniqueArray(fc.tuple(portName, fc.constantFrom(8080, 30_000, undefined)), { selector: ([one]) => one })
      .map((ports) => new Map(ports)),
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
const anyServiceNetworks = fc
  .tuple(name, fc.constantFrom('10.96.0.0/24', '198.51.100.0/24'))
  .map(([own, network]) => serviceNetworks(own, network));
const anyChange = fc
  .tuple(fc.oneof(anyPod, anyPod, anyService, anySlice, anyNode, anyServiceNetworks), fc.nat(4))
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

/** What dialling an address and port in plaintext would meet, as kube-proxy and the network have it. */
function couldBeMeshed(objects: readonly ObjectChange[], host: string, port: number): boolean {
  for (const { kind, record } of objects) {
    if (record === undefined) continue;
    if (
      kind === 'pods' &&
      record.meshed &&
      !record.hostNetwork &&
      !record.ended &&
      record.addresses.includes(host)
    )
      return true;
    if (kind !== 'services') continue;
    // A Service may have meshed pods now or at any later moment.
    if (record.clusterAddresses.includes(host)) return true;
    const taken = record.ports.some((each) => each.port === port);
    if (taken && record.externalAddresses.includes(host)) return true;
    const isNode = objects.some((one) => one.kind === 'nodes' && one.record?.addresses.includes(host));
    if (isNode && record.ports.some(({ nodePort }) => nodePort === port)) return true;
  }
  return false;
}

test('whatever a namespace owner writes, no answer has anybody send plaintext where a meshed pod may be', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anySlice, anyPod, anyService), { maxLength: 8 }), (written) => {
      const victims = service('b', {
        externalAddresses: ['198.51.100.1'],
        ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_000 }],
      });
      const theirs = service('a', {
        clusterAddresses: ['10.96.0.2'],
        ports: ['', 'http'].map((own) => ({
          name: own,
          port: own.length,
          targetPort: 30_000,
          nodePort: undefined,
        })),
      });
      const changes = [node('n1'), victims, theirs, ...written];
      const graph = graphOf(...changes);
      const left = [...new Map(changes.map((change) => [`${change.kind} ${change.key}`, change])).values()];
      for (const { host, port } of [
        ...ASKED,
        { host: '10.96.0.2', port: 0 },
        { host: '10.96.0.2', port: 4 },
      ]) {
        const answer = graph.answer(host, port);
        if (answer.kind === 'workload' && answer.party.kind === 'unmeshed') {
          const pods = left.filter(({ kind }) => kind === 'pods');
          expect(couldBeMeshed(pods, host, port)).toBe(false);
        }
        if (answer.kind !== 'service') continue;
        for (const one of answer.endpoints) {
          // An unmeshed pod's own address leads nowhere else, whatever external address names it.
          if (one.party.kind !== 'unmeshed') continue;
          const meant = one.party.pod ? left.filter(({ kind }) => kind === 'pods') : left;
          expect(couldBeMeshed(meant, one.address, one.port)).toBe(false);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

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
