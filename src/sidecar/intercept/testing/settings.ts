import * as fc from 'fast-check';
import { type CaptureSettings, type GivenCaptureSettings, parseCaptureSettings } from '../settings.ts';

/** Settings from texts, all by the same flag name; throws with the mistakes. */
export function settingsOf(
  texts: Readonly<Partial<Record<keyof CaptureSettings, string>>> = {},
): CaptureSettings {
  const parsed = parseCaptureSettings(given(texts));
  if (!parsed.ok) throw new Error(parsed.error.join('\n'));
  return parsed.value;
}

export function given(texts: Readonly<Partial<Record<keyof CaptureSettings, string>>>): GivenCaptureSettings {
  const entries = Object.entries(texts).map(([name, text]) => [name, { text, from: name }]);
  return Object.fromEntries(entries) as GivenCaptureSettings;
}

const port = fc.integer({ min: 1, max: 65_535 });
const portRange = fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);

/** Lists of ports and ranges that are written rightly; they may overlap. */
export const portList = fc
  .array(fc.oneof(port.map(String), portRange), { maxLength: 40 })
  .map((entries) => entries.join(','));

const ipv4Network = fc
  .tuple(fc.nat({ max: 0xffff_ffff }), fc.integer({ min: 1, max: 32 }))
  .map(([word, prefix]) => {
    const network = prefix === 32 ? word : (word & ~(0xffff_ffff >>> prefix)) >>> 0;
    return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join('.')}/${prefix}`;
  });
const ipv6Network = fc
  .tuple(fc.array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 7 }))
  // The first group keeps it apart from ::ffff:0:0/96, and the prefix ends where the groups do.
  .map(
    ([groups]) =>
      `${[0x2001, ...groups.slice(1)].map((group) => group.toString(16)).join(':')}::/${groups.length * 16}`,
  );

const networkList = fc
  .array(fc.oneof(ipv4Network, ipv6Network), { maxLength: 30 })
  .map((entries) => entries.join(', '));

/** Every setting, written rightly. Some are refused all the same: all ports, a port of our own. */
export const goodTexts = fc.record(
  {
    uid: fc.integer({ min: 1, max: 2 ** 32 - 2 }).map(String),
    inboundPort: port.map(String),
    outboundPort: port.map(String),
    statusPort: port.map(String),
    verificationPort: port.map(String),
    excludeInboundPorts: portList,
    excludeOutboundPorts: portList,
    excludeOutboundNetworks: networkList,
    includeInboundPorts: portList,
    includeOutboundPorts: portList,
    includeOutboundNetworks: networkList,
  },
  { requiredKeys: [] },
);

/** Text that could mean something to nft, iptables or a shell, among text that could not. */
export const badText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '80',
        '443',
        '10.0.0.0/8',
        'fd00::/8',
        '-',
        ',',
        ' ',
        ';',
        '\n',
        '\r',
        '\0',
        '{',
        '}',
        '$(id)',
        '`',
        '"',
        '#',
        '/',
        ':',
        'flush ruleset',
        '-j ACCEPT',
        '0x50',
        '1e3',
        '+1',
        '٣',
        '65536',
        '-1',
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
);
