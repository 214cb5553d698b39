/**
 * What TLS had and TLS 1.3 has not, worst first, with the numbers that stand for it. A peer that offers it beside
 * something good is served; one that has nothing better, or chooses it, is refused by its name.
 */
export type Numbers = readonly (number | readonly [from: number, to: number])[];

/** Cipher suites (IANA "TLS Cipher Suites"). A suite with several weaknesses counts as the worst of them. */
export const WEAK_SUITES = {
  'null-cipher': [
    [0x0000, 0x0002],
    [0x002c, 0x002e],
    0x003b,
    [0x00b0, 0x00b1],
    [0x00b4, 0x00b5],
    [0x00b8, 0x00b9],
    0xc001,
    0xc006,
    0xc00b,
    0xc010,
    0xc015,
    [0xc039, 0xc03b],
    [0xc0b4, 0xc0b5],
  ],
  'anonymous-key-exchange': [
    [0x0017, 0x001b],
    0x0034,
    0x003a,
    0x0046,
    [0x006c, 0x006d],
    0x0089,
    0x009b,
    [0x00a6, 0x00a7],
    0x00bf,
    0x00c5,
    [0xc016, 0xc019],
    [0xc046, 0xc047],
    [0xc05a, 0xc05b],
    [0xc084, 0xc085],
  ],
  'export-cipher': [
    0x0003,
    0x0006,
    0x0008,
    0x000b,
    0x000e,
    0x0011,
    0x0014,
    [0x0026, 0x002b],
    [0x0060, 0x0065],
  ],
  'rc4-cipher': [
    [0x0004, 0x0005],
    0x0020,
    0x0024,
    0x0066,
    0x008a,
    0x008e,
    0x0092,
    0xc002,
    0xc007,
    0xc00c,
    0xc011,
    0xc033,
  ],
  'triple-des-cipher': [
    [0x0009, 0x000a],
    [0x000c, 0x000d],
    [0x000f, 0x0010],
    [0x0012, 0x0013],
    [0x0015, 0x0016],
    [0x001e, 0x001f],
    [0x0022, 0x0023],
    0x008b,
    0x008f,
    0x0093,
    0xc003,
    0xc008,
    0xc00d,
    0xc012,
    [0xc01a, 0xc01c],
    0xc034,
  ],
  'rsa-key-exchange': [
    0x0007,
    0x002f,
    0x0035,
    [0x003c, 0x003d],
    0x0041,
    0x0084,
    0x0096,
    [0x009c, 0x009d],
    0x00ba,
    0x00c0,
    [0xc03c, 0xc03d],
    [0xc050, 0xc051],
    [0xc07a, 0xc07b],
    [0xc09c, 0xc09d],
    [0xc0a0, 0xc0a1],
  ],
  'cbc-cipher': [
    [0x0030, 0x0033],
    [0x0036, 0x0039],
    [0x003e, 0x0040],
    [0x0042, 0x0045],
    [0x0067, 0x006b],
    [0x0085, 0x0088],
    [0x0097, 0x009a],
    [0x00bb, 0x00be],
    [0x00c1, 0x00c4],
    [0xc004, 0xc005],
    [0xc009, 0xc00a],
    [0xc00e, 0xc00f],
    [0xc013, 0xc014],
    [0xc01d, 0xc02a],
    [0xc035, 0xc038],
    [0xc03e, 0xc045],
    [0xc048, 0xc04f],
    [0xc072, 0xc079],
  ],
  'dhe-key-exchange': [
    [0x009e, 0x00a5],
    [0xc052, 0xc059],
    [0xc07c, 0xc083],
    [0xc09e, 0xc09f],
    [0xc0a2, 0xc0a3],
    0xccaa,
  ],
  'ccm8-cipher': [0x1305, [0xc0a8, 0xc0a9], [0xc0ae, 0xc0af]],
} as const satisfies Record<string, Numbers>;

/** RFC 8446 B.3.1.4: finite fields. */
export const WEAK_GROUPS = { 'dhe-key-exchange': [[0x0100, 0x01ff]] } as const satisfies Record<
  string,
  Numbers
>;

/** RFC 8446 B.3.1.3, and the pairs of hash and signature of RFC 5246 7.4.1.4.1. */
export const WEAK_SCHEMES = {
  'md5-signature': [[0x0100, 0x01ff]],
  'dsa-signature': [0x0202, 0x0302, 0x0402, 0x0502, 0x0602],
  'sha1-signature': [0x0201, 0x0203, [0x0204, 0x02ff]],
} as const satisfies Record<string, Numbers>;

/** ProtocolVersion. TLS 1.2 is not among them: it is old, not weak. */
export const WEAK_VERSIONS = {
  ssl2: [0x0002],
  ssl3: [0x0300],
  tls10: [0x0301],
  tls11: [0x0302],
} as const satisfies Record<string, Numbers>;

export type Weakness =
  | keyof typeof WEAK_SUITES
  | keyof typeof WEAK_GROUPS
  | keyof typeof WEAK_SCHEMES
  | keyof typeof WEAK_VERSIONS
  | 'heartbeat';

/** The weaknesses among `numbers`, worst first, each once. */
export function weaknessesOf<Name extends string>(
  table: Readonly<Record<Name, Numbers>>,
  numbers: readonly number[],
): Name[] {
  const names = Object.keys(table) as Name[];
  return names.filter((name) => numbers.some((value) => isAmong(table[name], value)));
}

/** The weakness of one number; the worst if the table has it twice. */
export function weaknessOf<Name extends string>(
  table: Readonly<Record<Name, Numbers>>,
  value: number,
): Name | undefined {
  return weaknessesOf(table, [value])[0];
}

/**
 * The least bad of what a peer offers, if all of it is weak: undefined where something is not in the table, for then
 * the peer is merely different.
 */
export function bestWeakness<Name extends string>(
  table: Readonly<Record<Name, Numbers>>,
  numbers: readonly number[],
): Name | undefined {
  const names = Object.keys(table) as Name[];
  const ranks = numbers.filter((value) => !isSignal(value)).map((value) => weaknessOf(table, value));
  if (ranks.length === 0 || ranks.includes(undefined)) return undefined;
  return names.findLast((name) => ranks.includes(name));
}

function isAmong(list: Numbers, value: number): boolean {
  return list.some((entry) =>
    typeof entry === 'number' ? entry === value : value >= entry[0] && value <= entry[1],
  );
}

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746) and TLS_FALLBACK_SCSV (RFC 7507): signals, no suites. */
function isSignal(value: number): boolean {
  return value === 0x00ff || value === 0x5600;
}
