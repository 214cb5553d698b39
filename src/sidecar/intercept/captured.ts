import { type Cidr, parseCidr } from '#policy';
import { type Family, isEmpty } from './networks.ts';
import { ALL_PORTS, mergePorts, type PortRange, portsWithout } from './ports.ts';
import type { CaptureSettings } from './settings.ts';
import { common, type Span, without } from './spans.ts';

/** An address as policy reads it, in 32-bit words, and many of them as numbers. */
export type Address = Cidr['network'];
export type AddressSpan = Span<bigint>;

/** Ports from the network that are redirected: the included ones and always the one that verifies it, without exclusions. */
export function capturedInboundPorts(settings: CaptureSettings): readonly PortRange[] {
  const included = includedInboundPorts(settings);
  return portsWithout(included.length > 0 ? included : ALL_PORTS, untouchedInboundPorts(settings));
}

/** Where only some ports are captured: those, and the one that verifies it. Empty: every port. */
export function includedInboundPorts(settings: CaptureSettings): readonly PortRange[] {
  const { includeInboundPorts, verificationPort } = settings;
  return includeInboundPorts.length === 0
    ? []
    : mergePorts([...includeInboundPorts, onePort(verificationPort)]);
}

/** Ports from the network that are left alone: those excluded, and the sidecar's status port. */
export function untouchedInboundPorts(settings: CaptureSettings): readonly PortRange[] {
  return mergePorts([...settings.excludeInboundPorts, onePort(settings.statusPort)]);
}

export function capturedOutboundPorts(settings: CaptureSettings): readonly PortRange[] {
  const { includeOutboundPorts, excludeOutboundPorts } = settings;
  return portsWithout(
    includeOutboundPorts.length > 0 ? includeOutboundPorts : ALL_PORTS,
    excludeOutboundPorts,
  );
}

/** Addresses that a call of the application is captured to, of those that TCP can leave the pod for. */
export function capturedAddresses(settings: CaptureSettings, family: Family): readonly AddressSpan[] {
  const { includeOutboundNetworks, excludeOutboundNetworks } = settings;
  const included = isEmpty(includeOutboundNetworks)
    ? UNICAST[family]
    : common(UNICAST[family], includeOutboundNetworks[family].map(spanOf));
  return without(included, excludeOutboundNetworks[family].map(spanOf));
}

/** Whether the exclusions alone hold every address of the family that anybody has. */
export function excludesFamily({ excludeOutboundNetworks }: CaptureSettings, family: Family): boolean {
  return without(IN_USE[family], excludeOutboundNetworks[family].map(spanOf)).length === 0;
}

export function onePort(port: number): PortRange {
  return { first: port, last: port };
}

export function addressOf(value: bigint, family: Family): Address {
  const shifts = family === 'ipv4' ? [0n] : [96n, 64n, 32n, 0n];
  return shifts.map((shift) => Number((value >> shift) & 0xffff_ffffn));
}

export function addressValue(address: Address): bigint {
  return address.reduce((value, word) => (value << 32n) | BigInt(word), 0n);
}

function spanOf({ network, prefix }: Cidr): AddressSpan {
  const from = addressValue(network);
  return { from, to: from + (1n << BigInt(network.length * 32 - prefix)) };
}

function spansOf(...texts: readonly string[]): readonly AddressSpan[] {
  return texts.map((text) => {
    const parsed = parseCidr(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return spanOf(parsed.value);
  });
}

/**
 * RFC 6890 2.2.2: without "this network", loopback and multicast; with 240.0.0.0/4, which some clusters use. RFC 4291 2.4:
 * without the unspecified address, loopback, mapped IPv4, link-local and multicast.
 */
const UNICAST: Readonly<Record<Family, readonly AddressSpan[]>> = {
  ipv4: without(
    [{ from: 0n, to: 1n << 32n }],
    spansOf('0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32'),
  ),
  ipv6: without(
    [{ from: 0n, to: 1n << 128n }],
    [...spansOf('::/127', 'fe80::/10', 'ff00::/8'), { from: 0xffff_0000_0000n, to: 0x1_0000_0000_0000n }],
  ),
};

/** RFC 4291 2.5.4 as IANA hands out, 2000::/3; RFC 4193, fc00::/7. */
const IN_USE: Readonly<Record<Family, readonly AddressSpan[]>> = {
  ipv4: UNICAST.ipv4,
  ipv6: spansOf('2000::/3', 'fc00::/7'),
};
