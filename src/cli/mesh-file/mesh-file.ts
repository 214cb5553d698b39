/** mesh.yaml, read and checked: what `sallyport up` runs. Frozen; every path is absolute. */
export interface MeshFile {
  readonly file: string;
  /** Commands run here. */
  readonly directory: string;
  readonly trustDomain: string;
  /** Files and folders. */
  readonly policies: readonly string[];
  readonly state: string;
  /** Undefined: certificates renew by their own schedule. */
  readonly rotateEveryMilliseconds: number | undefined;
  readonly leafLifetimeMilliseconds: number | undefined;
  readonly services: readonly ServiceEntry[];
  readonly traffic: readonly TrafficEntry[];
}

export interface ServiceEntry {
  readonly name: string;
  /** Undefined: the service runs already, started by someone else. */
  readonly command: readonly string[] | undefined;
  /** Where the service listens on 127.0.0.1. */
  readonly port: number;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly calls: readonly CallEntry[];
}

export interface CallEntry {
  readonly service: string;
  /** A fixed loopback port for this call; undefined: any free one. */
  readonly listen: number | undefined;
}

/** One caller of one service: the unit of the topology. */
export interface Hop {
  readonly from: string;
  readonly to: string;
}

export interface TrafficEntry {
  /** The service that is asked, and what of it: path and query. */
  readonly service: string;
  readonly path: string;
  /** Whose outbound port the request enters by. Undefined: straight to the service's port, from outside the mesh. */
  readonly as: string | undefined;
  /** All hops that the answer depends on, the first one included. */
  readonly through: readonly Hop[];
  readonly everyMilliseconds: number;
}

export function hopName(hop: Hop): string {
  return `${hop.from} -> ${hop.to}`;
}
