import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** A TCP address. `host` is an IP address or a name, without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return `${bracketed(host)}:${port}`;
}

/** RFC 3986 3.2.2: an IPv6 address stands in brackets where a port or a path may follow. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether `host` can only be reached from this machine. Names other than `localhost` are not looked up: false. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return LOOPBACK.check(host, 'ipv4');
  if (isIPv6(host)) return LOOPBACK.check(host, 'ipv6');
  return host.toLowerCase() === 'localhost';
}
