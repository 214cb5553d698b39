import { reasonTable } from '#handshake';
import { serviceAccountId } from '#identity';
import type { Clock } from '#runtime';
import { type Attempt, Balancer, type BalancerConfig, type Tries } from '../balancer.ts';
import type { EndpointSet, ServiceEndpoint } from '../endpoint-set.ts';

export const { refused: REFUSED } = reasonTable({
  refused: { alert: undefined, blame: 'network', rfc: 'none', say: 'It was refused.', next: 'Nothing.' },
});

const ORDERS = [serviceAccountId('mesh.test', 'shop', 'orders')];
export const NEW: Tries = { tried: new Set(), meshedOnly: false };

/** An endpoint by the last part of its address. */
export function meshed(
  number: number,
  more: Pick<ServiceEndpoint, 'node' | 'terminating' | 'zone'> = {},
): ServiceEndpoint {
  const address = { host: `10.0.0.${number}`, port: 8080 };
  return { kind: 'meshed', address, port: 8080, identities: ORDERS, ...more };
}

export function unmeshed(number: number): ServiceEndpoint {
  return { kind: 'unmeshed', address: { host: `10.0.0.${number}`, port: 8080 } };
}

export function setOf(endpoints: readonly ServiceEndpoint[], more: Partial<EndpointSet> = {}): EndpointSet {
  return { service: 'orders.shop:80', endpoints, ...more };
}

export function upTo(count: number): ServiceEndpoint[] {
  return Array.from({ length: count }, (_, index) => meshed(index + 1));
}

/** Numbers in [0, 1) that look random and are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A balancer with what it told. */
export function balancerOf(
  clock: Clock,
  config: Partial<BalancerConfig> = {},
): { readonly balancer: Balancer; readonly told: string[] } {
  const told: string[] = [];
  const balancer = new Balancer({
    clock,
    random: seeded(1),
    whereabouts: {},
    services: 10,
    endpoints: 100,
    events: {
      ejected: (_, { address }, reason) => told.push(`${address.host} out: ${reason.code}`),
      returned: (_, { address }) => told.push(`${address.host} back`),
    },
    ...config,
  });
  return { balancer, told };
}

/** The address's last part of who would be called now; nothing is remembered of it. */
export function peek(balancer: Balancer, set: EndpointSet, tries: Tries = NEW): number | undefined {
  const attempt = balancer.begin(set, tries);
  attempt?.failed(undefined);
  return attempt === undefined ? undefined : numberOf(attempt);
}

export function numberOf({ endpoint }: Attempt): number {
  return Number(endpoint.address.host.split('.').at(-1));
}
