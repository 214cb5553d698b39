import { type Cidr, contains, parseCidr } from '#policy';
import { err, ok, type Result } from '#runtime';
import { parseList, quoted } from './list.ts';

/** None contains another. */
export interface NetworksByFamily {
  readonly ipv4: readonly Cidr[];
  readonly ipv6: readonly Cidr[];
}

export type Family = keyof NetworksByFamily;
export const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
export const FAMILY_NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const satisfies Record<Family, string>;

export const NO_NETWORKS: NetworksByFamily = Object.freeze({ ipv4: [], ipv6: [] });

/** Parses `10.0.0.0/8,fd00::/8`. */
export function parseNetworks(text: string): Result<NetworksByFamily, readonly string[]> {
  const parsed = parseList(text, parseEntry);
  if (!parsed.ok) return parsed;
  const family = (words: number): readonly Cidr[] =>
    Object.freeze(outermost(parsed.value.filter(({ network }) => network.length === words)));
  return ok(Object.freeze({ ipv4: family(1), ipv6: family(4) }));
}

export function isEmpty({ ipv4, ipv6 }: NetworksByFamily): boolean {
  return ipv4.length + ipv6.length === 0;
}

function parseEntry(entry: string): Result<Cidr, string> {
  // Longer than any address with a prefix: not worth a look, and not to be repeated whole.
  if (entry.length > LONGEST_CIDR) return err(`${quoted(entry)} is no network like 10.0.0.0/8 or fd00::/8`);
  const parsed = parseCidr(entry);
  if (!parsed.ok) return err(`is no network: ${parsed.error}`);
  if (parsed.value.prefix === 0) {
    return err(
      `${quoted(entry)} is every address of its family: to leave a pod alone, do not run init in it; to capture all, include nothing`,
    );
  }
  return parsed;
}

/** RFC 4291 2.2: 39 characters of groups, or 45 with a dotted end, and "/128". */
const LONGEST_CIDR = 49;

function outermost(networks: readonly Cidr[]): Cidr[] {
  const kept: Cidr[] = [];
  for (const network of networks.toSorted((a, b) => a.prefix - b.prefix)) {
    if (!kept.some((wider) => contains(wider, network.network))) kept.push(network);
  }
  return kept.sort((a, b) => compare(a.network, b.network));
}

function compare(a: Cidr['network'], b: Cidr['network']): number {
  for (const [index, word] of a.entries()) {
    const difference = word - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
