/**
 * The addresses of a cluster that lives alone in its own network namespace: both families, no address of the machine's.
 * network.sh makes it so.
 */
const SERVICES = ['10.96.0.0/16', 'fd00:10:96::/112'] as const;
export const PODS = ['10.244.0.0/16', 'fd00:10:244::/48'] as const;
export const DNS_SERVICE = '10.96.0.10';
export const API_SERVER = 'https://10.201.0.1:6443';

/** What the API server's certificate is good for. */
export const API_ADDRESSES = [
  'DNS:kubernetes',
  'DNS:kubernetes.default',
  'DNS:kubernetes.default.svc',
  'DNS:kubernetes.default.svc.cluster.local',
  'DNS:localhost',
  'IP:127.0.0.1',
  'IP:::1',
  'IP:10.96.0.1',
  'IP:10.201.0.1',
  'IP:fd00:10:201::1',
].join(',');

/** Addresses begin so, and the number of the node follows. */
const NODE_V4 = '10.201.0.';
const NODE_V6 = 'fd00:10:201::';
const PODS_V4 = '10.244.';
const PODS_V6 = 'fd00:10:244:';

/** What the scripts take from the environment. */
export const networkEnvironment = {
  SERVICES: SERVICES.join(','),
  PODS: PODS.join(','),
  NODE_V4,
  NODE_V6,
  PODS_V4,
  PODS_V6,
};

/** The ranges of a node's pods. Nodes count from 1. */
export function podRanges(node: number): readonly [string, string] {
  return [`${PODS_V4}${node}.0/24`, `${PODS_V6}${node}::/64`];
}

/** The IPv4 address before another of the same network of 256. */
export function before(address: string): string {
  const bytes = address.split('.').map(Number);
  return [...bytes.slice(0, 3), (bytes[3] ?? 0) - 1].join('.');
}
