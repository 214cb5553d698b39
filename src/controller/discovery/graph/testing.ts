import { cidr } from '../../testing/cidr.ts';
import type { Answer } from './answer.ts';
import { Graph } from './graph.ts';
import type {
  NodeRecord,
  ObjectChange,
  PodRecord,
  ServiceRecord,
  SliceEndpoint,
  SliceRecord,
} from './records.ts';

export const clusterNetworks = ['10.1.0.0/16', '10.96.0.0/16', 'fd00::/16'].map(cidr);

export function pod(name: string, more: Partial<PodRecord> = {}): ObjectChange {
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

export function service(name: string, more: Partial<ServiceRecord> = {}): ObjectChange {
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

export function endpoint(address: string, podUid?: string, more: Partial<SliceEndpoint> = {}): SliceEndpoint {
  return { address, ready: true, drains: false, node: 'n1', zone: 'z1', podUid, ...more };
}

export function slice(
  name: string,
  endpoints: SliceEndpoint[],
  more: Partial<SliceRecord> = {},
): ObjectChange {
  const record: SliceRecord = {
    service: 'shop/orders',
    family: 'IPv4',
    ports: new Map([['http', 8080]]),
    endpoints,
    ...more,
  };
  return { kind: 'endpointslices', key: `shop/${name}`, record };
}

export function node(name: string, more: Partial<NodeRecord> = {}): ObjectChange {
  return { kind: 'nodes', key: name, record: { addresses: ['192.0.2.1'], podNetworks: [], ...more } };
}

export function serviceNetworks(name: string, ...networks: string[]): ObjectChange {
  return { kind: 'servicecidrs', key: name, record: { networks } };
}

export function gone({ kind, key }: ObjectChange): ObjectChange {
  return { kind, key, record: undefined };
}

export function graphOf(...changes: readonly ObjectChange[]): Graph {
  const graph = new Graph({ clusterNetworks });
  for (const change of changes) graph.apply(change);
  return graph;
}

/** `meshed web`, `unmeshed`, `unmeshed host` or `unknown` for a workload. */
export function whoAt(graph: Graph, address: string, port = 80): string {
  const answer = graph.answer(address, port);
  return answer.kind === 'workload' ? partyText(answer.party) : answer.kind;
}

function partyText(party: Exclude<Answer, { kind: 'unknown' | 'service' }>['party']): string {
  if (party.kind === 'meshed') return `meshed ${party.serviceAccount}`;
  return party.pod ? 'unmeshed' : 'unmeshed host';
}

/** `address:port who` of each endpoint, `-` before those that terminate. */
export function endpointsAt(graph: Graph, address: string, port: number): string[] {
  const answer = graph.answer(address, port);
  if (answer.kind !== 'service') return [answer.kind];
  return answer.endpoints.map(
    (one) => `${one.terminating ? '-' : ''}${one.address}:${one.port} ${partyText(one.party)}`,
  );
}
