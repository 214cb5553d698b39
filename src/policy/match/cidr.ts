import { err, ok, type Result } from '#runtime';
import { type Address, formatAddress, parseDecimal, parseIpv4, parseIpv6, WORD_BITS } from './address.ts';

/** A network in canonical form: no host bits set. IPv4 and IPv6 are apart: `::/0` holds no IPv4 address. */
export interface Cidr {
  readonly network: Address;
  readonly mask: Address;
  readonly prefix: number;
  /** Canonical text. */
  readonly text: string;
}

/** Parses `10.0.0.0/8` or `2001:db8::/32`. What more than one reader could take differently is an error that says the right form. */
export function parseCidr(text: string): Result<Cidr, string> {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = host.includes(':') ? parseIpv6(host) : parseIpv4(host);
  if (address === undefined)
    return err(`${JSON.stringify(text)} is not an address and a prefix length like "10.0.0.0/8"`);
  const bits = address.length * WORD_BITS;
  if (slash < 0)
    return err(`${JSON.stringify(text)} has no prefix length; for this one address write "${text}/${bits}"`);
  const prefix = parseDecimal(text.slice(slash + 1), bits);
  if (prefix === undefined)
    return err(`the prefix length of ${JSON.stringify(text)} is not a number from 0 to ${bits}`);
  if (isMapped(address)) {
    return err(
      `${JSON.stringify(text)} is an IPv4 network written as IPv6; write ${JSON.stringify(unmapped(address, prefix))}`,
    );
  }
  const mask = address.map((_, word) => maskWord(prefix - word * WORD_BITS));
  const network = address.map((word, index) => (word & (mask[index] ?? 0)) >>> 0);
  const canonical = `${formatAddress(network)}/${prefix}`;
  if (network.some((word, index) => word !== address[index])) {
    return err(`${JSON.stringify(text)} has bits set after its prefix; the network is "${canonical}"`);
  }
  return ok(Object.freeze({ network, mask, prefix, text: canonical }));
}

export function contains(cidr: Cidr, address: Address): boolean {
  const { network, mask } = cidr;
  if (network.length !== address.length) return false;
  for (let index = 0; index < network.length; index += 1) {
    if (((address[index] ?? 0) & (mask[index] ?? 0)) >>> 0 !== network[index]) return false;
  }
  return true;
}

/** `prefix` ones and then zeros. A shift by 32 is a shift by 0 in JavaScript, so the ends are apart. */
function maskWord(prefix: number): number {
  if (prefix <= 0) return 0;
  return prefix >= WORD_BITS ? 0xffff_ffff : (0xffff_ffff << (WORD_BITS - prefix)) >>> 0;
}

/** RFC 4291 2.5.5.2, `::ffff:0:0/96`. A peer with such an address is matched as IPv4, so this network would hold nobody. */
function isMapped(address: Address): boolean {
  return address.length === 4 && address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
}

function unmapped(address: Address, prefix: number): string {
  return `${formatAddress([address[3] ?? 0])}/${Math.max(prefix - 96, 0)}`;
}
