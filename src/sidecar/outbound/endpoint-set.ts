import type { SpiffeId } from '#identity';
import { type Endpoint, formatEndpoint } from '../listen/endpoint.ts';

/** Who answers at one address. */
export type Callee = MeshedCallee | UnmeshedCallee;

/** Behind a sidecar: mutual TLS with one of these identities, or nothing. */
export interface MeshedCallee {
  readonly kind: 'meshed';
  /** Where that sidecar accepts. */
  readonly address: Endpoint;
  /** The service's own port, which its policies, the SNI and its server name speak of. */
  readonly port: number;
  /** Whose certificate is taken; all in one trust domain. Empty: nobody's, the call is refused. */
  readonly identities: readonly SpiffeId[];
}

/** Known to have no sidecar: plaintext, because somebody said so and never because a handshake failed. */
export interface UnmeshedCallee {
  readonly kind: 'unmeshed';
  readonly address: Endpoint;
}

/** One of those that answer for a Service (discovery.k8s.io/v1 Endpoint). */
export type ServiceEndpoint = Callee & {
  readonly zone?: string;
  readonly node?: string;
  /** It still serves but is about to go: called only when no other is there. */
  readonly terminating?: boolean;
};

/**
 * Those that answer for one port of a Service, as they were known at one moment. Immutable: what was worked out of a set
 * is kept as long as the set itself, so give the same object until something changed. Order says nothing.
 */
export interface EndpointSet {
  /** For logs, and whose connections sessionAffinity keeps together: `orders.shop:80`. */
  readonly service: string;
  /** Ready ones, and those that terminate but serve. */
  readonly endpoints: readonly ServiceEndpoint[];
  /** Kubernetes' `sessionAffinity: ClientIP`: for so long after a call the next goes to the same endpoint, if it can. */
  readonly affinityMilliseconds?: number;
  /** `Local`: those of our own node or nobody, as Kubernetes has it. */
  readonly internalTrafficPolicy?: 'Cluster' | 'Local';
  /** Near ones are taken as long as there is one that answers. */
  readonly trafficDistribution?: 'PreferSameZone' | 'PreferSameNode';
}

/** Where this sidecar is; what is not known prefers nothing. */
export interface Whereabouts {
  readonly node?: string;
  readonly zone?: string;
}

/** The same for whoever is the same: an address that another identity took over is another endpoint. */
export function keyOf(callee: Callee): string {
  const who = callee.kind === 'meshed' ? callee.identities.map(String).toSorted().join(' ') : 'unmeshed';
  return `${formatEndpoint(callee.address)} ${who}`;
}
