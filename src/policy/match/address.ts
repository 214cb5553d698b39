import { consistsOf } from '../characters.ts';

/** An IP address as unsigned 32-bit words, most significant first: one for IPv4, four for IPv6. */
export type Address = readonly number[];

export const WORD_BITS = 32;

/**
 * Parses an address as sockets print it. IPv4-mapped IPv6 (RFC 4291 2.5.5.2) is the IPv4 address, since that is who the
 * peer is; a zone (`%eth0`, RFC 4007 11) says which link and is not part of the address. Undefined: not an address.
 */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const zone = text.indexOf('%');
  const words = parseIpv6(zone < 0 ? text : text.slice(0, zone));
  return words === undefined ? undefined : unmap(words);
}

/** Dotted decimal of four parts. A leading zero is refused: some readers take such a part for octal. */
export function parseIpv4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    const octet = parseDecimal(part, 255);
    if (octet === undefined) return undefined;
    word = word * 256 + octet;
  }
  return [word];
}

/** RFC 4291 2.2: eight groups of hexadecimal digits, "::" once for a run of zeros, the last 32 bits perhaps dotted. */
export function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((at) => (groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0));
}

/** Digits without sign or leading zero, at most `most`. */
export function parseDecimal(text: string, most: number): number | undefined {
  if (text === '' || text.length > String(most).length || (text.length > 1 && text[0] === '0'))
    return undefined;
  let value = 0;
  for (const character of text) {
    if (character < '0' || character > '9') return undefined;
    value = value * 10 + Number(character);
  }
  return value <= most ? value : undefined;
}

export function formatAddress(address: Address): string {
  const [first = 0] = address;
  if (address.length === 1) return [24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join('.');
  const groups = address.flatMap((word) => [word >>> 16, word & 65_535]);
  const run = longestZeroRun(groups);
  const print = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  // RFC 5952 4.2.2: "::" must not shorten a single group.
  if (run.length < 2) return print(groups);
  return `${print(groups.slice(0, run.start))}::${print(groups.slice(run.start + run.length))}`;
}

function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      const dotted = parseIpv4(part);
      if (dotted === undefined) return undefined;
      groups.push((dotted[0] ?? 0) >>> 16, (dotted[0] ?? 0) & 65_535);
      continue;
    }
    const group = parseGroup(part);
    if (group === undefined) return undefined;
    groups.push(group);
  }
  return groups;
}

function parseGroup(text: string): number | undefined {
  if (text.length < 1 || text.length > 4 || !consistsOf(text, HEXADECIMAL)) return undefined;
  return Number.parseInt(text, 16);
}

function unmap(words: Address): Address {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff ? [words[3] ?? 0] : words;
}

/** RFC 5952 4.2.3: the longest run is shortened, the first of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let at = 0; at <= groups.length; at += 1) {
    if (groups[at] === 0) continue;
    if (at - start > best.length) best = { start, length: at - start };
    start = at + 1;
  }
  return best;
}

const HEXADECIMAL = new Set('0123456789abcdefABCDEF');
