import { createHash } from 'node:crypto';

/** Who stands behind an address and port. */
export type Answer =
  /** Nobody that is known, or more than one who might be: never a licence for plaintext. */
  | { readonly kind: 'unknown' }
  /** One workload, on whatever port. */
  | { readonly kind: 'workload'; readonly name: string; readonly party: Party }
  | ServiceAnswer;

export type Party =
  /** Behind a sidecar, which proves this identity or gets nothing. */
  | { readonly kind: 'meshed'; readonly namespace: string; readonly serviceAccount: string }
  /** Without one. `pod`: its address may be another's soon, so it is worth no more than a lease. */
  | { readonly kind: 'unmeshed'; readonly pod: boolean };

export interface ServiceAnswer {
  readonly kind: 'service';
  /** `orders.shop`. */
  readonly name: string;
  readonly affinityMilliseconds: number | undefined;
  readonly local: boolean;
  readonly trafficDistribution: 'PreferSameZone' | 'PreferSameNode' | undefined;
  /** Ordered by address and port, each once. */
  readonly endpoints: readonly AnsweredEndpoint[];
  /** There are more endpoints than an answer may have. */
  readonly cut: boolean;
}

export interface AnsweredEndpoint {
  readonly address: string;
  readonly port: number;
  readonly party: Party;
  readonly node: string | undefined;
  readonly zone: string | undefined;
  /** Still serving, but about to go. */
  readonly terminating: boolean;
}

export const UNKNOWN: Answer = Object.freeze({ kind: 'unknown' });

/** The same for the same answer, whichever replica gives it: 64 bits of a hash of its content. */
export function versionOf(answer: Answer): string {
  return createHash('sha256').update(JSON.stringify(answer)).digest('hex').slice(0, 16);
}
