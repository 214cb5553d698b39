/**
 * What discovery keeps of Kubernetes objects: no more than an answer needs. Addresses are in canonical text, and times
 * are milliseconds since the Unix epoch.
 */

/** `namespace/name` of an object, or its name where it has no namespace. */
export type ObjectKey = string;

export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  /** Decided from parts of the pod's spec that cannot be changed: `hasSidecar`. */
  readonly meshed: boolean;
  readonly hostNetwork: boolean;
  /** Succeeded or Failed: it holds no address any more, whatever its status still says. */
  readonly ended: boolean;
  /** It has a deletionTimestamp. */
  readonly terminating: boolean;
  /** When the kubelet took it on; when it was created, until then. */
  readonly since: number;
  /** `status.podIPs`. */
  readonly addresses: readonly string[];
}

export interface ServicePortRecord {
  /** Empty: the Service's only port. */
  readonly name: string;
  readonly port: number;
  /** Where an EndpointSlice leaves its port out. */
  readonly targetPort: number | undefined;
  readonly nodePort: number | undefined;
}

/** TCP ports only. A Service of type ExternalName has no address, so none of it is kept. */
export interface ServiceRecord {
  readonly namespace: string;
  readonly name: string;
  /** None where it is headless: its names lead to pods. */
  readonly clusterAddresses: readonly string[];
  /** externalIPs and addresses of load balancers, which kube-proxy answers inside the cluster too. */
  readonly externalAddresses: readonly string[];
  readonly ports: readonly ServicePortRecord[];
  /** sessionAffinity ClientIP. */
  readonly affinityMilliseconds: number | undefined;
  /** internalTrafficPolicy Local. */
  readonly local: boolean;
  readonly trafficDistribution: 'PreferSameZone' | 'PreferSameNode' | undefined;
}

export interface SliceEndpoint {
  readonly address: string;
  /** Condition `ready`; where it is not said, it is. */
  readonly ready: boolean;
  /** Condition `terminating`, while `serving`. */
  readonly drains: boolean;
  readonly node: string | undefined;
  readonly zone: string | undefined;
  /** Of the pod that it was made for. */
  readonly podUid: string | undefined;
}

export interface SliceRecord {
  readonly service: ObjectKey;
  readonly family: 'IPv4' | 'IPv6';
  /** By the name of the Service's port; the number may be left out. */
  readonly ports: ReadonlyMap<string, number | undefined>;
  readonly endpoints: readonly SliceEndpoint[];
}

export interface NodeRecord {
  readonly addresses: readonly string[];
  /** `spec.podCIDRs`, canonical. */
  readonly podNetworks: readonly string[];
}

/** A range of which Services get their addresses. */
export interface ServiceNetworksRecord {
  /** Canonical. */
  readonly networks: readonly string[];
}

/** One object as it is now, or gone. */
export type ObjectChange =
  | { readonly kind: 'pods'; readonly key: ObjectKey; readonly record: PodRecord | undefined }
  | { readonly kind: 'services'; readonly key: ObjectKey; readonly record: ServiceRecord | undefined }
  | { readonly kind: 'endpointslices'; readonly key: ObjectKey; readonly record: SliceRecord | undefined }
  | { readonly kind: 'nodes'; readonly key: ObjectKey; readonly record: NodeRecord | undefined }
  | {
      readonly kind: 'servicecidrs';
      readonly key: ObjectKey;
      readonly record: ServiceNetworksRecord | undefined;
    };

export type ObjectKind = ObjectChange['kind'];
