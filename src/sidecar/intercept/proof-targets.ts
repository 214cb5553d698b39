import type { NetworkInterfaceInfo } from 'node:os';
import { contains, formatAddress, parseAddress } from '#policy';
import type { Endpoint } from '../listen/endpoint.ts';
import type { Family } from './iptables.ts';
import { isEmpty } from './networks.ts';
import { hasPort, LAST_PORT } from './ports.ts';
import type { CaptureSettings } from './settings.ts';

type Interface = Pick<NetworkInterfaceInfo, 'address' | 'cidr' | 'internal'>;

/**
 * Addresses that a connection can be opened to in order to see it captured, the best first; empty where the settings
 * capture nothing of this family. Nobody has the first ones (documentation), and the packet does not leave if capture
 * works. Neighbours follow, for a namespace whose routes lead to its own network only.
 */
export function proofTargets(
  settings: CaptureSettings,
  family: Family,
  interfaces: readonly Interface[],
): readonly Endpoint[] {
  const port = capturedPort(settings);
  if (port === undefined) return [];
  const included = settings.includeOutboundNetworks[family].map(({ network }) => formatAddress(network));
  const candidates = [...DOCUMENTATION[family], ...included, ...neighbours(interfaces)];
  return candidates.filter((host) => isCaptured(settings, family, host)).map((host) => ({ host, port }));
}

/** RFC 5737 and RFC 3849, RFC 9637. */
const DOCUMENTATION = {
  ipv4: ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  ipv6: ['2001:db8::1', '3fff::1'],
} as const;

const WORDS = { ipv4: 1, ipv6: 4 } as const;

/** The lowest port that is captured: below 1024 nobody expects an answer from such an address anyway. */
function capturedPort({ includeOutboundPorts, excludeOutboundPorts }: CaptureSettings): number | undefined {
  for (let port = 1; port <= LAST_PORT; port += 1) {
    const included = includeOutboundPorts.length === 0 || hasPort(includeOutboundPorts, port);
    if (included && !hasPort(excludeOutboundPorts, port)) return port;
  }
  return undefined;
}

function isCaptured(settings: CaptureSettings, family: Family, host: string): boolean {
  const { excludeOutboundNetworks, includeOutboundNetworks } = settings;
  const address = parseAddress(host);
  if (address === undefined || address.length !== WORDS[family]) return false;
  if (excludeOutboundNetworks[family].some((network) => contains(network, address))) return false;
  return (
    isEmpty(includeOutboundNetworks) ||
    includeOutboundNetworks[family].some((network) => contains(network, address))
  );
}

/** Beside each of our addresses, the one that differs in the last bit; where the prefix leaves that bit free. */
function neighbours(interfaces: readonly Interface[]): string[] {
  return interfaces.flatMap(({ address, cidr, internal }) => {
    const words = parseAddress(address);
    const prefix = Number(cidr?.split('/')[1] ?? Number.NaN);
    // Link-local addresses (RFC 4291 2.5.6) would need their interface named, and reach no service.
    if (internal || words === undefined || !(prefix < words.length * 32) || address.startsWith('fe80:'))
      return [];
    const last = words.length - 1;
    return [formatAddress(words.map((word, index) => (index === last ? (word ^ 1) >>> 0 : word)))];
  });
}
