import type { NetworkInterfaceInfo } from 'node:os';
import { formatAddress, parseAddress } from '#policy';
import type { Endpoint } from '../listen/endpoint.ts';
import {
  type AddressSpan,
  addressOf,
  addressValue,
  capturedAddresses,
  capturedOutboundPorts,
} from './captured.ts';
import type { Family } from './networks.ts';
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
  const port = capturedOutboundPorts(settings)[0]?.first;
  const captured = capturedAddresses(settings, family);
  if (port === undefined) return [];
  // Whatever else is excluded, each captured range begins somewhere, so no family stays unproved for lack of a target.
  const first = captured.slice(0, MOST_RANGES).map(({ from }) => formatAddress(addressOf(from, family)));
  const candidates = [...DOCUMENTATION[family], ...neighbours(interfaces), ...first];
  return [...new Set(candidates)]
    .filter((host) => isCaptured(captured, family, host))
    .map((host) => ({ host, port }));
}

/** Each of them may have to be tried for a route. */
const MOST_RANGES = 16;

/** RFC 5737 and RFC 3849, RFC 9637. */
const DOCUMENTATION = {
  ipv4: ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  ipv6: ['2001:db8::1', '3fff::1'],
} as const;

const WORDS = { ipv4: 1, ipv6: 4 } as const;

function isCaptured(captured: readonly AddressSpan[], family: Family, host: string): boolean {
  const address = parseAddress(host);
  if (address === undefined || address.length !== WORDS[family]) return false;
  const value = addressValue(address);
  return captured.some(({ from, to }) => from <= value && value < to);
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
