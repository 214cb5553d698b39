/** iPAddress (RFC 5280 4.2.1.6): 4 or 16 octets. Text is only read where a caller names the host it wants. */

/** The octets of an IPv4 (RFC 3986 3.2.2) or IPv6 address (RFC 4291 2.2), undefined for any other text. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Four numbers without leading zeros, which some read as octal. */
function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet < 256) ? Uint8Array.from(octets) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':').map(parseGroup)));
  const groups = [...(head ?? []), ...(tail ?? [])];
  const missing = 8 - groups.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all =
    halves.length === 1 ? groups : [...(head ?? []), ...Array<number>(missing).fill(0), ...(tail ?? [])];
  const octets = new Uint8Array(16);
  for (const [index, group] of all.entries()) {
    if (group === undefined) return undefined;
    octets[index * 2] = group >> 8;
    octets[index * 2 + 1] = group & 0xff;
  }
  return octets;
}

function parseGroup(text: string): number | undefined {
  return /^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : undefined;
}

/** The one text of an address: dotted decimals, or RFC 5952 4 (lower case, the longest run of zeros shortened). */
export function ipText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, index) => (octets[index * 2] ?? 0) * 256 + (octets[index * 2 + 1] ?? 0),
  );
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at += 1) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length += 1;
    if (length > best.length) best = { at, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.at < 0) return hex.join(':');
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`;
}

export interface IpRange {
  readonly network: Uint8Array;
  readonly mask: Uint8Array;
}

/** An iPAddress constraint: address and mask, "encoded in the style of RFC 4632 (CIDR)" (RFC 5280 4.2.1.10). */
export function parseIpConstraint(octets: Uint8Array): IpRange | undefined {
  if (octets.length !== 8 && octets.length !== 32) return undefined;
  const half = octets.length / 2;
  const [network, mask] = [octets.subarray(0, half), octets.subarray(half)];
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? { network, mask } : undefined;
}

export function isWithinRange(address: Uint8Array, { network, mask }: IpRange): boolean {
  return (
    address.length === network.length &&
    address.every((octet, index) => ((octet ^ (network[index] ?? 0)) & (mask[index] ?? 0)) === 0)
  );
}
