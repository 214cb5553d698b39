import { type Cidr, contains, parseAddress, parseCidr } from '#policy';
import { type Answer, type AnsweredEndpoint, type Party, UNKNOWN } from './answer.ts';
import { Claims } from './claims.ts';
import { SetsByKey } from './sets-by-key.ts';
import type {
  NodeRecord,
  ObjectChange,
  ObjectKey,
  PodRecord,
  ServicePortRecord,
  ServiceRecord,
  SliceEndpoint,
  SliceRecord,
} from './records.ts';

/** Where answers may have changed: at these addresses, and at these ports of every node. */
export interface Affected {
  readonly addresses: ReadonlySet<string>;
  readonly nodePorts: ReadonlySet<number>;
}

/** The networks of pods and Services, as far as they were configured. */
export interface GraphConfig {
  readonly clusterNetworks: readonly Cidr[];
}

/**
 * What the cluster's objects say of addresses. A change is told apart into the few places that it concerns; an answer is
 * worked out when it is asked for. Pure: no I/O, no time, no types of Kubernetes.
 */
export class Graph {
  readonly #config: GraphConfig;
  readonly #pods = new Map<ObjectKey, PodRecord>();
  readonly #podsByUid = new Map<string, PodRecord>();
  readonly #claims = new Claims();
  readonly #services = new Map<ObjectKey, ServiceRecord>();
  readonly #byClusterAddress = new SetsByKey<string, ObjectKey>();
  readonly #byExternalAddress = new SetsByKey<string, ObjectKey>();
  readonly #byNodePort = new SetsByKey<number, ObjectKey>();
  readonly #slices = new Map<ObjectKey, SliceRecord>();
  readonly #slicesOf = new SetsByKey<ObjectKey, ObjectKey>();
  /** Slices that name an address, for what a pod's or a node's change concerns. */
  readonly #slicesAt = new SetsByKey<string, ObjectKey>();
  readonly #nodes = new Map<ObjectKey, NodeRecord>();
  readonly #nodesAt = new SetsByKey<string, ObjectKey>();
  readonly #podNetworks = new SetsByKey<string, ObjectKey>();
  /** Slices with an endpoint that was made for no pod: what it is depends on the cluster's networks. */
  readonly #looseSlices = new Set<ObjectKey>();
  #networksVersion = 0;

  constructor(config: GraphConfig) {
    this.#config = config;
  }

  /** Grows whenever `networks` may have changed. */
  get networksVersion(): number {
    return this.#networksVersion;
  }

  get size(): { readonly pods: number; readonly services: number; readonly endpointSlices: number } {
    return { pods: this.#pods.size, services: this.#services.size, endpointSlices: this.#slices.size };
  }

  /**
   * What else than the configured networks belongs to the cluster: networks of pods, and single addresses of nodes and
   * load balancers. Sorted.
   */
  networks(): string[] {
    const single = [...this.#nodesAt.keys(), ...this.#byExternalAddress.keys()].map(
      (address) => `${address}/${address.includes(':') ? 128 : 32}`,
    );
    return [...new Set([...this.#podNetworks.keys(), ...single])].sort();
  }

  /** Takes in one change. */
  apply(change: ObjectChange): Affected {
    const affected = new Concerned();
    switch (change.kind) {
      case 'pods':
        this.#setPod(change.key, change.record, affected);
        break;
      case 'services':
        this.#setService(change.key, change.record, affected);
        break;
      case 'endpointslices':
        this.#setSlice(change.key, change.record, affected);
        break;
      case 'nodes':
        this.#setNode(change.key, change.record, affected);
        break;
    }
    return affected;
  }

  /** Who stands behind `address`, in canonical text, at `port`; port 0 asks for the workload alone. */
  answer(address: string, port: number): Answer {
    const cluster = this.#byClusterAddress.of(address);
    // A Service's own address has nobody behind a port that the Service does not have.
    if (cluster.size > 0) return this.#serviceAt(cluster, address, (one) => one.port === port) ?? UNKNOWN;
    // Before external addresses: whoever may write a Service could take over a pod's address with them.
    const workload = this.#claims.answerAt(address);
    if (workload !== undefined) return workload;
    const external = this.#serviceAt(
      this.#byExternalAddress.of(address),
      address,
      (one) => one.port === port,
    );
    if (external !== undefined) return external;
    const [node] = [...this.#nodesAt.of(address)].sort();
    if (node === undefined) return UNKNOWN;
    const onNode = this.#serviceAt(this.#byNodePort.of(port), address, (one) => one.nodePort === port);
    return onNode ?? { kind: 'workload', name: node, party: { kind: 'unmeshed', pod: false } };
  }

  #serviceAt(
    keys: ReadonlySet<ObjectKey>,
    address: string,
    isMeant: (port: ServicePortRecord) => boolean,
  ): Answer | undefined {
    // Two may claim an external address and port: the first by name has it, for every replica.
    for (const key of [...keys].sort()) {
      const service = this.#services.get(key);
      const port = service?.ports.find(isMeant);
      if (service === undefined || port === undefined) continue;
      return {
        kind: 'service',
        name: `${service.name}.${service.namespace}`,
        affinityMilliseconds: service.affinityMilliseconds,
        local: service.local,
        trafficDistribution: service.trafficDistribution,
        endpoints: this.#endpointsOf(key, port, address.includes(':') ? 'IPv6' : 'IPv4'),
      };
    }
    return undefined;
  }

  #endpointsOf(key: ObjectKey, port: ServicePortRecord, family: SliceRecord['family']): AnsweredEndpoint[] {
    const found = new Map<string, AnsweredEndpoint>();
    // In one order, so that every replica says the same.
    for (const sliceKey of [...this.#slicesOf.of(key)].sort()) {
      const slice = this.#slices.get(sliceKey);
      if (slice === undefined || slice.family !== family || !slice.ports.has(port.name)) continue;
      const number = slice.ports.get(port.name) ?? port.targetPort ?? port.port;
      for (const endpoint of slice.endpoints) {
        if (!endpoint.ready && !endpoint.drains) continue;
        const party = this.#partyOf(endpoint);
        if (party === undefined) continue;
        const { address, node, zone } = endpoint;
        const id = `${address} ${number}`;
        const before = found.get(id);
        // While an endpoint moves between slices it is in both: it is ready if either says so.
        if (before !== undefined && (!before.terminating || !endpoint.ready)) continue;
        found.set(id, { address, port: number, party, node, zone, terminating: !endpoint.ready });
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
  }

  /**
   * Who answers for an endpoint; undefined: it can't be told, so it is left out. A slice names an address for the sake of
   * a pod: where another pod has the address by now, that one is not the Service's, whatever it could prove.
   */
  #partyOf({ address, podUid }: SliceEndpoint): Party | undefined {
    if (podUid !== undefined) {
      const pod = this.#podsByUid.get(podUid);
      if (pod === undefined || pod.ended || !pod.addresses.includes(address)) return undefined;
      if (pod.hostNetwork) return { kind: 'unmeshed', pod: false };
      return this.#claims.holderOf(address)?.uid === podUid ? this.#claims.partyAt(address) : undefined;
    }
    if (this.#claims.holderOf(address) !== undefined) return this.#claims.partyAt(address);
    const outside = this.#nodesAt.has(address) || !this.#isInCluster(address);
    return outside ? { kind: 'unmeshed', pod: false } : undefined;
  }

  /** Where a pod may be that is not known yet. */
  #isInCluster(address: string): boolean {
    const words = parseAddress(address);
    if (words === undefined) return true;
    if (this.#config.clusterNetworks.some((network) => contains(network, words))) return true;
    return [...this.#podNetworks.keys()].some((text) => {
      const network = parseCidr(text);
      return !network.ok || contains(network.value, words);
    });
  }

  #setPod(key: ObjectKey, record: PodRecord | undefined, affected: Concerned): void {
    const before = this.#pods.get(key);
    if (before !== undefined) {
      this.#claims.remove(before);
      this.#podsByUid.delete(before.uid);
      this.#pods.delete(key);
    }
    if (record !== undefined) {
      this.#claims.add(record);
      this.#podsByUid.set(record.uid, record);
      this.#pods.set(key, record);
    }
    for (const pod of [before, record]) this.#concern(pod?.addresses ?? [], affected);
  }

  #setNode(key: ObjectKey, record: NodeRecord | undefined, affected: Concerned): void {
    const before = this.#nodes.get(key);
    if (networksOf(before) !== networksOf(record)) this.#networksVersion += 1;
    for (const address of before?.addresses ?? []) this.#nodesAt.delete(address, key);
    for (const network of before?.podNetworks ?? []) this.#podNetworks.delete(network, key);
    for (const address of record?.addresses ?? []) this.#nodesAt.add(address, key);
    for (const network of record?.podNetworks ?? []) this.#podNetworks.add(network, key);
    if (record === undefined) this.#nodes.delete(key);
    else this.#nodes.set(key, record);
    for (const node of [before, record]) this.#concern(node?.addresses ?? [], affected);
    if (String(before?.podNetworks) === String(record?.podNetworks)) return;
    for (const slice of this.#looseSlices) this.#concernSlice(slice, affected);
  }

  #setService(key: ObjectKey, record: ServiceRecord | undefined, affected: Concerned): void {
    const before = this.#services.get(key);
    if (String(before?.externalAddresses ?? []) !== String(record?.externalAddresses ?? [])) {
      this.#networksVersion += 1;
    }
    if (before !== undefined) {
      affected.service(before);
      for (const address of before.clusterAddresses) this.#byClusterAddress.delete(address, key);
      for (const address of before.externalAddresses) this.#byExternalAddress.delete(address, key);
      for (const { nodePort } of before.ports)
        if (nodePort !== undefined) this.#byNodePort.delete(nodePort, key);
      this.#services.delete(key);
    }
    if (record !== undefined) {
      for (const address of record.clusterAddresses) this.#byClusterAddress.add(address, key);
      for (const address of record.externalAddresses) this.#byExternalAddress.add(address, key);
      for (const { nodePort } of record.ports)
        if (nodePort !== undefined) this.#byNodePort.add(nodePort, key);
      this.#services.set(key, record);
      affected.service(record);
    }
  }

  #setSlice(key: ObjectKey, record: SliceRecord | undefined, affected: Concerned): void {
    const before = this.#slices.get(key);
    if (before !== undefined) {
      this.#slicesOf.delete(before.service, key);
      for (const { address } of before.endpoints) this.#slicesAt.delete(address, key);
      this.#concernSlice(key, affected);
      this.#looseSlices.delete(key);
      this.#slices.delete(key);
    }
    if (record !== undefined) {
      this.#slicesOf.add(record.service, key);
      for (const { address, podUid } of record.endpoints) {
        this.#slicesAt.add(address, key);
        if (podUid === undefined) this.#looseSlices.add(key);
      }
      this.#slices.set(key, record);
      this.#concernSlice(key, affected);
    }
  }

  /** The addresses themselves, and the Services that have an endpoint at one of them. */
  #concern(addresses: readonly string[], affected: Concerned): void {
    for (const address of addresses) {
      affected.addresses.add(address);
      for (const slice of this.#slicesAt.of(address)) this.#concernSlice(slice, affected);
    }
  }

  #concernSlice(key: ObjectKey, affected: Concerned): void {
    const slice = this.#slices.get(key);
    const service = slice === undefined ? undefined : this.#services.get(slice.service);
    if (service !== undefined) affected.service(service);
  }
}

function networksOf(node: NodeRecord | undefined): string {
  return `${node?.addresses.join() ?? ''} ${node?.podNetworks.join() ?? ''}`;
}

class Concerned implements Affected {
  readonly addresses = new Set<string>();
  readonly nodePorts = new Set<number>();

  service({ clusterAddresses, externalAddresses, ports }: ServiceRecord): void {
    for (const address of clusterAddresses) this.addresses.add(address);
    for (const address of externalAddresses) this.addresses.add(address);
    for (const { nodePort } of ports) if (nodePort !== undefined) this.nodePorts.add(nodePort);
  }
}
