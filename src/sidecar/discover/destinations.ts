import type { SpiffeId } from '#identity';
import { type Cidr, contains, parseAddress } from '#policy';
import type { Destination } from '../config.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { DestinationSource } from './source.ts';
import type { EndpointSet } from '../outbound/endpoint-set.ts';

/** One line of what is known: whom a network (perhaps one address) and port stand for. */
export interface DestinationEntry {
  readonly network: Cidr;
  /** Undefined: every port that no other entry of the same network names. */
  readonly port: number | undefined;
  /** For logs; undefined: the address that was called. */
  readonly service: string | undefined;
  /** Undefined: it is known to have no sidecar. */
  readonly meshed: MeshedDestination | undefined;
}

export interface MeshedDestination {
  readonly identities: readonly SpiffeId[];
  /** The workload's own port where the called one is a Service's; undefined: the same. */
  readonly targetPort: number | undefined;
  /** Addresses of the workloads behind a Service, of which one is dialled. Empty: the called address is dialled. */
  readonly endpoints: readonly string[];
}

/**
 * Whom an address stands for: the entry with the longest prefix, among equals the one that names the port. Immutable.
 */
export class Destinations implements DestinationSource {
  readonly #clusterNetworks: readonly Cidr[];
  readonly #statusPort: number;
  /** By prefix length, longest first, and family; then by network. */
  readonly #levels: readonly Level[];
  /** A Service's endpoints stay the same object. */
  readonly #sets = new WeakMap<MeshedDestination, EndpointSet>();

  /**
   * @param clusterNetworks where everything is known: an address in them that no entry names is refused. What is outside
   * is egress.
   * @param statusPort what every sidecar answers itself in plaintext, unless an entry names the port: whoever collects
   * metrics may have a sidecar of its own.
   */
  constructor(clusterNetworks: readonly Cidr[], entries: readonly DestinationEntry[], statusPort: number) {
    this.#clusterNetworks = clusterNetworks;
    this.#statusPort = statusPort;
    this.#levels = levelsOf(entries);
  }

  /** What a connection to `called` is. `isOwn` tells our own addresses. */
  destinationOf(called: Endpoint, isOwn: (host: string) => boolean): Destination {
    if (isOwn(called.host)) return { kind: 'self', address: called };
    const words = parseAddress(called.host);
    if (words === undefined) return { kind: 'unknown' };
    const entry = this.#entry(words, called.port);
    if (entry !== undefined) {
      const isStatus = called.port === this.#statusPort && entry.port === undefined;
      return entry.meshed === undefined || isStatus
        ? { kind: 'unmeshed', address: called }
        : this.#meshed(called, entry, entry.meshed);
    }
    const inside = this.#clusterNetworks.some((network) => contains(network, words));
    return inside ? { kind: 'unknown' } : { kind: 'egress', address: called };
  }

  /** The name of the service that `called` is; undefined: it has none. */
  serviceAt({ host, port }: Endpoint): string | undefined {
    const words = parseAddress(host);
    return words === undefined ? undefined : this.#entry(words, port)?.service;
  }

  /** Whether a workload at this address has a sidecar, on whatever port. */
  hasSidecar(host: string): boolean {
    const words = parseAddress(host);
    if (words === undefined) return false;
    for (const level of this.#levels) {
      const entries = level.at(words);
      if (entries !== undefined) return [...entries.values()].some(({ meshed }) => meshed !== undefined);
    }
    return false;
  }

  #entry(words: readonly number[], port: number): DestinationEntry | undefined {
    for (const level of this.#levels) {
      const entries = level.at(words);
      const entry = entries?.get(port) ?? entries?.get(undefined);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #meshed(called: Endpoint, entry: DestinationEntry, meshed: MeshedDestination): Destination {
    const { endpoints, identities, targetPort: port = called.port } = meshed;
    if (endpoints.length === 0) return { kind: 'meshed', address: called, port, identities };
    const service = `${entry.service ?? called.host}:${called.port}`;
    const known = this.#sets.get(meshed);
    // Without a target port, the set is that of the port that was called.
    if (known?.service === service) return { kind: 'service', endpoints: known };
    const set: EndpointSet = {
      service,
      endpoints: endpoints.map((host) => ({ kind: 'meshed', address: { host, port }, port, identities })),
    };
    this.#sets.set(meshed, set);
    return { kind: 'service', endpoints: set };
  }
}

type Entries = ReadonlyMap<number | undefined, DestinationEntry>;

interface Level {
  /** The entries, by port, of the network of this level that holds the address. */
  at(words: readonly number[]): Entries | undefined;
}

function levelsOf(entries: readonly DestinationEntry[]): readonly Level[] {
  const byMask = Map.groupBy(entries, ({ network }) => network.mask.join('.'));
  return [...byMask.values()].toSorted((a, b) => prefixOf(b) - prefixOf(a)).map(levelOf);
}

/** One prefix length of one family. */
function levelOf(entries: readonly DestinationEntry[]): Level {
  const byNetwork = Map.groupBy(entries, ({ network }) => network.network.join('.'));
  const networks = new Map<string, Entries>();
  for (const [key, ofNetwork] of byNetwork) {
    networks.set(key, new Map(ofNetwork.map((entry) => [entry.port, entry])));
  }
  const mask = entries[0]?.network.mask ?? [];
  return {
    at(words) {
      if (words.length !== mask.length) return undefined;
      return networks.get(words.map((word, index) => (word & (mask[index] ?? 0)) >>> 0).join('.'));
    },
  };
}

function prefixOf([first]: readonly DestinationEntry[]): number {
  return first?.network.prefix ?? 0;
}
