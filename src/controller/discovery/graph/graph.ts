import type { Cidr } from '#policy';
import { type Answer, type AnsweredEndpoint, type Party, type ServiceAnswer, UNKNOWN } from './answer.ts';
import { Claims } from './claims.ts';
import { ClusterNetworks } from './cluster-networks.ts';
import { GRAPH_LIMITS, type GraphLimits } from './limits.ts';
import { SetsByKey } from './sets-by-key.ts';
import type {
  NodeRecord,
  ObjectChange,
  ObjectKey,
  PodRecord,
  ServiceNetworksRecord,
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
  readonly limits?: Partial<GraphLimits>;
}

/**
 * What the cluster's objects say of addresses. A change is told apart into the few places that it concerns; an answer is
 * worked out when it is asked for. Pure: no I/O, no time, no types of Kubernetes.
 */
export class Graph {
  readonly #limits: GraphLimits;
  readonly #wide: ClusterNetworks;
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
  readonly #serviceNetworks = new Map<ObjectKey, ServiceNetworksRecord>();
  /** Slices by the number of their ports; 0: they leave one out. */
  readonly #slicesByPort = new SetsByKey<number, ObjectKey>();
  /** Slices with an endpoint that was made for no pod: what it is depends on the cluster's networks. */
  readonly #looseSlices = new Set<ObjectKey>();
  #networksVersion = 0;

  constructor(config: GraphConfig) {
    this.#limits = { ...GRAPH_LIMITS, ...config.limits };
    this.#wide = new ClusterNetworks(config.clusterNetworks);
  }

  /** Grows whenever `networks` may have changed. */
  get networksVersion(): number {
    return this.#networksVersion;
  }

  get size(): { readonly pods: number; readonly services: number; readonly endpointSlices: number } {
    return { pods: this.#pods.size, services: this.#services.size, endpointSlices: this.#slices.size };
  }

  /**
   * What else than the configured networks belongs to the cluster: networks of pods and Services, and single addresses
   * of nodes, load balancers, and of pods and Services that are in no network. Sorted; `cut` says how many are too many,
   * load balancers' and externalIPs first, which whoever may write a Service can name.
   */
  networks(): { readonly networks: readonly string[]; readonly cut: number } {
    const { networks: most } = this.#limits;
    const strays = [...this.#claims.addresses(), ...this.#byClusterAddress.keys()].filter(
      (address) => !this.#wide.has(address),
    );
    const inOrder = new Set([
      ...this.#wide.named(),
      ...[...this.#nodesAt.keys()].sort().map(single),
      ...strays.sort().map(single),
      ...[...this.#byExternalAddress.keys()].sort().map(single),
    ]);
    const all = [...inOrder];
    return { networks: all.slice(0, most).sort(), cut: Math.max(all.length - most, 0) };
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
      case 'servicecidrs':
        this.#setServiceNetworks(change.key, change.record, affected);
        break;
    }
    return affected;
  }

  /** Who stands behind `address`, in canonical text, at `port`; port 0 asks for the workload alone. */
  answer(address: string, port: number): Answer {
    const cluster = this.#byClusterAddress.of(address);
    // A Service's own address has nobody behind a port that the Service does not have.
    if (cluster.size > 0)
      return this.#serviceAt(cluster, address, (one) => one.port === port, true) ?? UNKNOWN;
    // Before external addresses: whoever may write a Service could take over a pod's address with them.
    const workload = this.#claims.answerAt(address);
    if (workload !== undefined) return workload;
    const external = this.#byExternalAddress.of(address);
    const service = this.#serviceAt(external, address, (one) => one.port === port, false);
    if (service !== undefined) return service;
    const [node] = [...this.#nodesAt.of(address)].sort();
    if (node === undefined) return UNKNOWN;
    const byPort = this.#byNodePort.of(port);
    const onNode = this.#serviceAt(byPort, address, (one) => one.nodePort === port, false);
    return onNode ?? { kind: 'workload', name: node, party: { kind: 'unmeshed', pod: false } };
  }

  /** `inside`: at its cluster address, the only one for which internalTrafficPolicy speaks. */
  #serviceAt(
    keys: ReadonlySet<ObjectKey>,
    address: string,
    isMeant: (port: ServicePortRecord) => boolean,
    inside: boolean,
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
        local: inside && service.local,
        trafficDistribution: service.trafficDistribution,
        ...this.#endpointsOf(key, port, address.includes(':') ? 'IPv6' : 'IPv4'),
      };
    }
    return undefined;
  }

  #endpointsOf(
    key: ObjectKey,
    port: ServicePortRecord,
    family: SliceRecord['family'],
  ): Pick<ServiceAnswer, 'endpoints' | 'cut'> {
    const found = new Map<string, AnsweredEndpoint>();
    let looked = 0;
    // In one order, so that every replica says the same.
    const slices = [...this.#slicesOf.of(key)].sort();
    for (const slice of slices.map((each) => this.#slices.get(each))) {
      if (slice === undefined || slice.family !== family || !slice.ports.has(port.name)) continue;
      const number = slice.ports.get(port.name) ?? port.targetPort ?? port.port;
      for (const endpoint of slice.endpoints) {
        looked += 1;
        if (looked > this.#limits.endpointsLooked || found.size >= this.#limits.endpoints) {
          return { endpoints: inOrder(found), cut: true };
        }
        if (!endpoint.ready && !endpoint.drains) continue;
        const party = this.#partyOf(endpoint, number);
        if (party === undefined) continue;
        const { address, node, zone } = endpoint;
        const id = `${address} ${number}`;
        const before = found.get(id);
        // While an endpoint moves between slices it is in both: it is ready if either says so.
        if (before !== undefined && (!before.terminating || !endpoint.ready)) continue;
        found.set(id, { address, port: number, party, node, zone, terminating: !endpoint.ready });
      }
    }
    return { endpoints: inOrder(found), cut: false };
  }

  /**
   * Who answers for an endpoint; undefined: it can't be told, so it is left out. A slice names an address for the sake of
   * a pod: where another pod has the address by now, that one is not the Service's, whatever it could prove. Whoever may
   * write slices can name any address: one at which kube-proxy would pass the call on to a Service's pods is left out,
   * since those may be meshed.
   */
  #partyOf({ address, podUid }: SliceEndpoint, port: number): Party | undefined {
    if (podUid !== undefined) {
      const pod = this.#podsByUid.get(podUid);
      if (pod === undefined || pod.ended || !pod.addresses.includes(address)) return undefined;
      if (pod.hostNetwork) return this.#hostAt(address, port);
      return this.#claims.holderOf(address)?.uid === podUid ? this.#claims.partyAt(address) : undefined;
    }
    if (this.#claims.holderOf(address) !== undefined) return this.#claims.partyAt(address);
    if (this.#nodesAt.has(address)) return this.#hostAt(address, port);
    // A load balancer's, or in the cluster's networks, where it may be of a pod that is not known yet.
    const isOurs = this.#byExternalAddress.has(address) || this.#wide.has(address);
    return isOurs || this.#byClusterAddress.has(address) ? undefined : OF_NO_POD;
  }

  /** A host, unless kube-proxy takes that port there for a Service: hosts may be load balancers too. */
  #hostAt(address: string, port: number): Party | undefined {
    const isTaken =
      this.#byNodePort.has(port) ||
      this.#byClusterAddress.has(address) ||
      [...this.#byExternalAddress.of(address)].some((key) =>
        this.#services.get(key)?.ports.some((each) => each.port === port),
      );
    return isTaken || this.#claims.holderOf(address) !== undefined ? undefined : OF_NO_POD;
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
    for (const pod of [before, record]) {
      if (pod === undefined) continue;
      this.#concern(pod.addresses, affected);
      if (!pod.hostNetwork && pod.addresses.some((address) => !this.#wide.has(address)))
        this.#networksVersion += 1;
    }
  }

  #setNode(key: ObjectKey, record: NodeRecord | undefined, affected: Concerned): void {
    const before = this.#nodes.get(key);
    if (String(before?.addresses) !== String(record?.addresses)) this.#networksVersion += 1;
    for (const address of before?.addresses ?? []) this.#nodesAt.delete(address, key);
    for (const address of record?.addresses ?? []) this.#nodesAt.add(address, key);
    this.#changeNetworks(`nodes ${key}`, before?.podNetworks, record?.podNetworks, affected);
    if (record === undefined) this.#nodes.delete(key);
    else this.#nodes.set(key, record);
    for (const node of [before, record]) this.#concern(node?.addresses ?? [], affected);
  }

  #setServiceNetworks(key: ObjectKey, record: ServiceNetworksRecord | undefined, affected: Concerned): void {
    const before = this.#serviceNetworks.get(key);
    this.#changeNetworks(`servicecidrs ${key}`, before?.networks, record?.networks, affected);
    if (record === undefined) this.#serviceNetworks.delete(key);
    else this.#serviceNetworks.set(key, record);
  }

  #changeNetworks(
    by: string,
    before: readonly string[] = [],
    after: readonly string[] = [],
    affected: Concerned,
  ): void {
    if (String(before) === String(after)) return;
    this.#networksVersion += 1;
    for (const network of before) this.#wide.delete(network, by);
    for (const network of after) this.#wide.add(network, by);
    for (const slice of this.#looseSlices) this.#concernSlice(slice, affected);
  }

  #setService(key: ObjectKey, record: ServiceRecord | undefined, affected: Concerned): void {
    const before = this.#services.get(key);
    if (before !== undefined) {
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
    }
    if (this.#singlesOf(before) !== this.#singlesOf(record)) this.#networksVersion += 1;
    for (const service of [before, record])
      if (service !== undefined) this.#concernService(service, affected);
  }

  /** What it adds to `networks`. */
  #singlesOf(service: ServiceRecord | undefined): string {
    const strays = service?.clusterAddresses.filter((address) => !this.#wide.has(address)) ?? [];
    return [...strays, ...(service?.externalAddresses ?? [])].join();
  }

  #setSlice(key: ObjectKey, record: SliceRecord | undefined, affected: Concerned): void {
    const before = this.#slices.get(key);
    if (before !== undefined) {
      this.#slicesOf.delete(before.service, key);
      for (const { address } of before.endpoints) this.#slicesAt.delete(address, key);
      for (const port of before.ports.values()) this.#slicesByPort.delete(port ?? 0, key);
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
      for (const port of record.ports.values()) this.#slicesByPort.add(port ?? 0, key);
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

  /** The Service itself, and those with endpoints where it is: `#partyOf` leaves them out. */
  #concernService(service: ServiceRecord, affected: Concerned): void {
    affected.service(service);
    this.#concern([...service.clusterAddresses, ...service.externalAddresses], affected);
    for (const { nodePort } of service.ports) {
      if (nodePort === undefined) continue;
      for (const port of [nodePort, 0]) {
        for (const slice of this.#slicesByPort.of(port)) this.#concernSlice(slice, affected);
      }
    }
  }

  #concernSlice(key: ObjectKey, affected: Concerned): void {
    const slice = this.#slices.get(key);
    const service = slice === undefined ? undefined : this.#services.get(slice.service);
    if (service !== undefined) affected.service(service);
  }
}

/** Of a host or of whatever is outside: nobody else gets that address. */
const OF_NO_POD: Party = Object.freeze({ kind: 'unmeshed', pod: false });

function inOrder(found: ReadonlyMap<string, AnsweredEndpoint>): readonly AnsweredEndpoint[] {
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function single(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
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
