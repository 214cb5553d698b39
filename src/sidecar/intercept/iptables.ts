import type { Cidr } from '#policy';
import { includedInboundPorts, untouchedInboundPorts } from './captured.ts';
import { type Family, isEmpty, type NetworksByFamily } from './networks.ts';
import type { PortRange } from './ports.ts';
import type { CaptureSettings } from './settings.ts';

/** What stands in the built-in chains already: how often each of our jumps. */
export type PresentJumps = ReadonlyMap<string, number>;

/**
 * The same rules as `nftablesRules` for iptables-restore --noflush, one family at a time. Naming a chain of our own
 * empties it; the jumps to it are deleted as often as they are `present` and added once, so that loading twice is
 * loading once. Each table is one transaction.
 */
export function iptablesRules(settings: CaptureSettings, family: Family, present: PresentJumps): string {
  const { inboundPort, outboundPort, uid } = settings;
  const toInbound = redirects(CHAINS.inbound, includedInboundPorts(settings), inboundPort);
  const toOutbound = redirects(CHAINS.toOutbound, settings.includeOutboundPorts, outboundPort);
  return [
    '*mangle',
    ...MANGLE_CHAINS.map(declare),
    ...replaceJumps(MANGLE_JUMPS, present),
    `-A ${CHAINS.inboundInvalid} -m conntrack --ctstate INVALID -j DROP`,
    `-A ${CHAINS.outboundInvalid} -p tcp -m multiport --sports ${outboundPort},${inboundPort} -m conntrack --ctstate INVALID -j DROP`,
    `-A ${CHAINS.outboundInvalid} ! -o lo -m owner ! --uid-owner ${uid} -m conntrack --ctstate INVALID -j DROP`,
    'COMMIT',
    '*nat',
    ...NAT_CHAINS.map(declare),
    ...replaceJumps(NAT_JUMPS, present),
    ...portMatches(untouchedInboundPorts(settings)).map((match) => `-A ${CHAINS.inbound} ${match} -j RETURN`),
    ...toInbound,
    `-A ${CHAINS.outbound} -m owner --uid-owner ${uid} -j RETURN`,
    `-A ${CHAINS.outbound} -d ${family === 'ipv4' ? '127.0.0.0/8' : '::1/128'} -j RETURN`,
    ...portMatches(settings.excludeOutboundPorts).map((match) => `-A ${CHAINS.outbound} ${match} -j RETURN`),
    ...settings.excludeOutboundNetworks[family].map(
      ({ text }) => `-A ${CHAINS.outbound} -d ${text} -j RETURN`,
    ),
    ...includedNetworks(settings.includeOutboundNetworks, family),
    ...toOutbound,
    'COMMIT',
    '',
  ].join('\n');
}

/** Takes the rules away. Naming a chain first makes sure that there is one to delete. */
export function iptablesRemoval(present: PresentJumps): string {
  const table = (name: string, chains: readonly string[], jumps: readonly string[]): string[] => [
    `*${name}`,
    ...chains.map(declare),
    ...deleteJumps(jumps, present),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT',
  ];
  return [...table('mangle', MANGLE_CHAINS, MANGLE_JUMPS), ...table('nat', NAT_CHAINS, NAT_JUMPS), ''].join(
    '\n',
  );
}

/**
 * Puts back what of ours `before` has, a text of iptables-save, in place of what is there now. Our jumps come first in
 * their chains again.
 */
export function iptablesFormer(before: string, present: PresentJumps): string {
  const former = presentJumps(before);
  const table = (name: string, chains: readonly string[], jumps: readonly string[]): string[] => {
    const had = new Set(chains.filter((chain) => before.includes(`:${chain} `)));
    return [
      `*${name}`,
      ...chains.map(declare),
      ...deleteJumps(jumps, present),
      ...before.split('\n').filter((line) => [...had].some((chain) => line.startsWith(`-A ${chain} `))),
      ...jumps.flatMap((jump) => new Array<string>(former.get(jump) ?? 0).fill(`-I ${jump}`)),
      ...chains.filter((chain) => !had.has(chain)).flatMap((chain) => [`-F ${chain}`, `-X ${chain}`]),
      'COMMIT',
    ];
  };
  return [...table('mangle', MANGLE_CHAINS, MANGLE_JUMPS), ...table('nat', NAT_CHAINS, NAT_JUMPS), ''].join(
    '\n',
  );
}

/** Whether two texts of iptables-save have the same rules of ours. */
export function sameOfOurs(before: string, now: string): boolean {
  const ours = (saved: string): string =>
    saved
      .split('\n')
      .filter((line) => Object.values(CHAINS).some((chain) => line.includes(chain)))
      .map((line) => line.replace(/ \[\d+:\d+\]$/, ''))
      .join('\n');
  return ours(before) === ours(now);
}

/** Whether what iptables-save prints has anything of ours. */
export function hasOurChains(saved: string): boolean {
  return Object.values(CHAINS).some((chain) => saved.includes(`:${chain} `));
}

/** Counts our jumps in what iptables-save prints. */
export function presentJumps(saved: string): PresentJumps {
  const ours = new Set<string>([...MANGLE_JUMPS, ...NAT_JUMPS]);
  const found = new Map<string, number>();
  for (const line of saved.split('\n')) {
    const jump = line.startsWith('-A ') ? line.slice('-A '.length).trim() : '';
    if (ours.has(jump)) found.set(jump, (found.get(jump) ?? 0) + 1);
  }
  return found;
}

const CHAINS = {
  inboundInvalid: 'SALLYPORT_INVALID_IN',
  outboundInvalid: 'SALLYPORT_INVALID_OUT',
  inbound: 'SALLYPORT_INBOUND',
  outbound: 'SALLYPORT_OUTBOUND',
  toOutbound: 'SALLYPORT_TO_OUTBOUND',
} as const;

const MANGLE_CHAINS = [CHAINS.inboundInvalid, CHAINS.outboundInvalid];
/** The chain that another jumps to goes last: it can be deleted when that one is empty. */
const NAT_CHAINS = [CHAINS.inbound, CHAINS.outbound, CHAINS.toOutbound];

/** As iptables-save prints them, without "-A ". */
const MANGLE_JUMPS = [
  `PREROUTING ! -i lo -p tcp -j ${CHAINS.inboundInvalid}`,
  `OUTPUT -p tcp -j ${CHAINS.outboundInvalid}`,
];
const NAT_JUMPS = [
  `PREROUTING ! -i lo -p tcp -m addrtype --dst-type LOCAL -j ${CHAINS.inbound}`,
  `OUTPUT -p tcp -j ${CHAINS.outbound}`,
];

function declare(chain: string): string {
  return `:${chain} - [0:0]`;
}

function deleteJumps(jumps: readonly string[], present: PresentJumps): string[] {
  return jumps.flatMap((jump) => new Array<string>(present.get(jump) ?? 0).fill(`-D ${jump}`));
}

/** First in their chains: a rule of somebody else that accepts must not come before. */
function replaceJumps(jumps: readonly string[], present: PresentJumps): string[] {
  return [...deleteJumps(jumps, present), ...jumps.map((jump) => `-I ${jump}`)];
}

function redirects(chain: string, included: readonly PortRange[], to: number): string[] {
  const matches = included.length > 0 ? portMatches(included) : ['-p tcp'];
  return matches.map((match) => `-A ${chain} ${match} -j REDIRECT --to-ports ${to}`);
}

function includedNetworks(included: NetworksByFamily, family: Family): string[] {
  if (isEmpty(included)) return [`-A ${CHAINS.outbound} -j ${CHAINS.toOutbound}`];
  return included[family].map(({ text }: Cidr) => `-A ${CHAINS.outbound} -d ${text} -j ${CHAINS.toOutbound}`);
}

/** iptables-extensions(8), multiport: "Up to 15 ports can be specified. A port range counts as two ports." */
const MOST_MULTIPORT_SLOTS = 15;

function portMatches(ranges: readonly PortRange[]): string[] {
  const groups: string[][] = [];
  let free = 0;
  for (const { first, last } of ranges) {
    const slots = first === last ? 1 : 2;
    if (free < slots) {
      groups.push([]);
      free = MOST_MULTIPORT_SLOTS;
    }
    groups.at(-1)?.push(first === last ? `${first}` : `${first}:${last}`);
    free -= slots;
  }
  return groups.map((group) => `-p tcp -m multiport --dports ${group.join(',')}`);
}
