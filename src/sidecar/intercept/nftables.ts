import type { Cidr } from '#policy';
import { includedInboundPorts, untouchedInboundPorts } from './captured.ts';
import { isEmpty } from './networks.ts';
import { formatPorts, type PortRange } from './ports.ts';
import type { CaptureSettings } from './settings.ts';

/**
 * The rules as one table in one transaction: `add` makes sure that there is a table to delete, so that the text is the
 * same whether or not rules are loaded already, and nobody sees a moment without rules.
 *
 * NAT sees the first packet of a connection only; the kernel remembers what it decided. What the kernel can't assign to
 * a connection (ct state invalid) would pass without that memory, so it is dropped: inbound it would reach the
 * application's port, which answers with a reset that ends the real connection; outbound it would leave in plaintext.
 */
export function nftablesRules(settings: CaptureSettings): string {
  const { inboundPort, outboundPort, uid } = settings;
  return [
    ...REPLACE,
    `table inet ${TABLE} {`,
    ...chain('inbound_invalid', `type filter hook prerouting priority ${MANGLE}; policy accept;`, [
      'iifname "lo" accept',
      'meta l4proto tcp ct state invalid counter drop',
    ]),
    ...chain('inbound', `type nat hook prerouting priority ${DSTNAT}; policy accept;`, [
      'meta l4proto != tcp accept',
      'iifname "lo" accept',
      // Forwarded for somebody else, for instance a container inside the pod.
      'fib daddr type != local accept',
      `tcp dport ${ports(untouchedInboundPorts(settings))} counter accept`,
      ...unlessIncludedPorts(includedInboundPorts(settings)),
      `meta l4proto tcp counter redirect to :${inboundPort}`,
    ]),
    ...chain('outbound_invalid', `type filter hook output priority ${MANGLE}; policy accept;`, [
      // Our answers, which would go out with our own port as their source.
      `tcp sport { ${outboundPort}, ${inboundPort} } ct state invalid counter drop`,
      'oifname "lo" accept',
      `meta l4proto tcp meta skuid != ${uid} ct state invalid counter drop`,
    ]),
    ...chain('outbound', `type nat hook output priority ${DSTNAT}; policy accept;`, [
      'meta l4proto != tcp accept',
      `meta skuid ${uid} accept`,
      // Within the pod already. Its other addresses are captured: calls to itself are counted.
      'ip daddr 127.0.0.0/8 accept',
      'ip6 daddr ::1 accept',
      ...outboundExclusions(settings),
      ...outboundInclusions(settings),
      `meta l4proto tcp counter redirect to :${outboundPort}`,
    ]),
    '}',
    '',
  ].join('\n');
}

/** Takes the rules away; no error where there are none. */
export function nftablesRemoval(): string {
  return [...REPLACE, ''].join('\n');
}

/** Whether what `nft list tables` prints has our table. */
export function hasOurTable(listed: string): boolean {
  return listed.split('\n').some((line) => line.trim() === `table inet ${TABLE}`);
}

/** What was listed before, in place of what is loaded now. */
export function nftablesText(listed: string): string {
  return [...REPLACE, listed].join('\n');
}

const TABLE = 'sallyport';
/** nft(8): numbers for users and priorities, whose names a later reader may not know. */
export const LIST_TABLE = ['-n', '-y', 'list', 'table', 'inet', TABLE] as const;
const REPLACE = [`add table inet ${TABLE}`, `delete table inet ${TABLE}`];

/** nft(8), standard priorities. As numbers: nft before 1.0.7 knows `dstnat` in prerouting only. */
const MANGLE = -150;
const DSTNAT = -100;

function chain(name: string, head: string, rules: readonly string[]): string[] {
  return [`\tchain ${name} {`, ...[head, ...rules].map((line) => `\t\t${line}`), '\t}'];
}

function outboundExclusions({ excludeOutboundPorts, excludeOutboundNetworks }: CaptureSettings): string[] {
  const { ipv4, ipv6 } = excludeOutboundNetworks;
  return [
    ...(excludeOutboundPorts.length > 0 ? [`tcp dport ${ports(excludeOutboundPorts)} counter accept`] : []),
    ...(ipv4.length > 0 ? [`ip daddr ${networks(ipv4)} counter accept`] : []),
    ...(ipv6.length > 0 ? [`ip6 daddr ${networks(ipv6)} counter accept`] : []),
  ];
}

function outboundInclusions({ includeOutboundPorts, includeOutboundNetworks }: CaptureSettings): string[] {
  const { ipv4, ipv6 } = includeOutboundNetworks;
  const otherNetworks = [
    ipv4.length > 0 ? `ip daddr != ${networks(ipv4)} counter accept` : 'meta nfproto ipv4 counter accept',
    ipv6.length > 0 ? `ip6 daddr != ${networks(ipv6)} counter accept` : 'meta nfproto ipv6 counter accept',
  ];
  return [
    ...unlessIncludedPorts(includeOutboundPorts),
    ...(isEmpty(includeOutboundNetworks) ? [] : otherNetworks),
  ];
}

function unlessIncludedPorts(included: readonly PortRange[]): string[] {
  return included.length > 0 ? [`tcp dport != ${ports(included)} counter accept`] : [];
}

/** Anonymous sets. Their members are numbers and parsed networks, never text from outside. */
function ports(ranges: readonly PortRange[]): string {
  return `{ ${formatPorts(ranges)} }`;
}

function networks(list: readonly Cidr[]): string {
  return `{ ${list.map(({ text }) => text).join(', ')} }`;
}
