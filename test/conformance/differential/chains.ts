import {
  encodeBasicConstraints,
  encodeExtension,
  type IssuerOptions,
  type LeafOptions,
  makeIssuer,
  makeKeys,
  makeLeaf,
  type TestIssuer,
} from '#identity/testing';

/** A chain to judge, with what was changed about it. */
export interface ChainCase {
  readonly changes: readonly string[];
  readonly root: Uint8Array;
  readonly chain: readonly Uint8Array[];
  readonly host: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
}

/** Numbers from 0 up to, not including, 1. The same seed gives the same ones (Tommy Ettinger's mulberry32). */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';
const ANY = '2.5.29.37.0';
const KEYS = Array.from({ length: 8 }, () => makeKeys('ec-p256'));

interface Draft {
  root: Partial<IssuerOptions>;
  intermediates: Partial<IssuerOptions>[];
  leaf: LeafOptions;
  host: string;
  after: (chain: Uint8Array[]) => Uint8Array[];
}

type Change = (draft: Draft, random: Random) => void;

/** A usual chain with up to three changes, whose order is chance. */
export function makeCase(random: Random): ChainCase {
  const draft: Draft = {
    root: {},
    intermediates: Array.from({ length: pick(random, [0, 1, 1, 1, 2, 3]) }, () => ({})),
    leaf: { names: [{ dns: 'www.example.com' }], extendedKeyUsage: [SERVER] },
    host: 'www.example.com',
    after: (chain) => chain,
  };
  const names = Array.from({ length: pick(random, [0, 1, 1, 1, 2, 2, 3]) }, () => pick(random, CHANGE_NAMES));
  for (const name of names) CHANGES[name]?.(draft, random);
  return { changes: names, time: NOW, host: draft.host, ...build(draft, random) };
}

function build(draft: Draft, random: Random): { root: Uint8Array; chain: readonly Uint8Array[] } {
  const root = makeIssuer({ commonName: 'root', now: NOW, keys: pick(random, KEYS), ...draft.root });
  let issuer: TestIssuer = root;
  const above: Uint8Array[] = [];
  for (const [index, options] of draft.intermediates.entries()) {
    issuer = makeIssuer(
      { commonName: `ca ${index}`, now: NOW, keys: pick(random, KEYS), ...options },
      issuer,
    );
    above.unshift(issuer.der);
  }
  const leaf = makeLeaf({ now: NOW, keys: pick(random, KEYS), ...draft.leaf }, issuer, above);
  return { root: root.der, chain: draft.after([...leaf.chain]) };
}

/** Changes an issuer of the path: the root or any intermediate. */
function someIssuer(options: (random: Random) => Partial<IssuerOptions>): Change {
  return (draft, random) => {
    const at = Math.floor(random() * (draft.intermediates.length + 1));
    if (at === draft.intermediates.length) Object.assign(draft.root, options(random));
    else Object.assign(draft.intermediates[at] ?? {}, options(random));
  };
}

function leaf(options: (random: Random) => LeafOptions): Change {
  return (draft, random) => {
    draft.leaf = { ...draft.leaf, ...options(random) };
  };
}

function after(change: (chain: Uint8Array[], random: Random) => Uint8Array[]): Change {
  return (draft, random) => {
    const before = draft.after;
    draft.after = (chain) => change(before(chain), random);
  };
}

const DNS_BASES = [
  'example.com',
  'www.example.com',
  'com',
  '',
  'other.test',
  'w.example.com',
  'ww.example.com',
];
const DNS_NAMES = [
  'www.example.com',
  '*.example.com',
  'example.com',
  '*.com',
  'w*.example.com',
  'WWW.EXAMPLE.COM',
  'a.www.example.com',
  '.example.com',
  'www.example.com.',
  'xn--bcher-kva.example.com',
  'w_w.example.com',
  '192.0.2.1',
  '*',
  '*.*.example.com',
  'www..com',
];
const EXTENSION = encodeExtension('1.2.3.4', true, Uint8Array.of(5, 0));
const QUIET_EXTENSION = encodeExtension('1.2.3.5', false, Uint8Array.of(5, 0));

const CHANGES: Readonly<Record<string, Change>> = {
  'leaf expired': leaf(() => ({ notAfter: NOW - 1000 })),
  'leaf of the future': leaf(() => ({ notBefore: NOW + 1000 })),
  'issuer expired': someIssuer(() => ({ notAfter: NOW - 1000 })),
  'issuer of the future': someIssuer(() => ({ notBefore: NOW + DAY })),
  'leaf purposes': leaf((random) => ({
    extendedKeyUsage: pick(random, [null, [CLIENT], [ANY], [SERVER, CLIENT], [SERVER, ANY]]),
  })),
  'issuer purposes': someIssuer((random) => ({
    extendedKeyUsage: pick(random, [[CLIENT], [ANY], [SERVER], [CLIENT, SERVER]]),
  })),
  'issuer without basicConstraints': someIssuer(() => ({ ca: false })),
  'issuer with cA false': someIssuer(() => ({ extensions: [encodeBasicConstraints(false)] })),
  'path length': someIssuer((random) => ({ pathLength: pick(random, [0, 0, 1, 2]) })),
  'issuer key usage': someIssuer((random) => ({
    keyUsage: pick(random, [
      null,
      ['cRLSign'],
      ['keyCertSign'],
      ['digitalSignature', 'keyCertSign'],
    ] as const),
  })),
  'permitted names': someIssuer((random) => ({ permitted: [{ dns: pick(random, DNS_BASES) }] })),
  'excluded names': someIssuer((random) => ({ excluded: [{ dns: pick(random, DNS_BASES) }] })),
  'permitted and excluded': someIssuer((random) => ({
    permitted: [{ dns: 'example.com' }],
    excluded: [{ dns: pick(random, DNS_BASES) }],
  })),
  'permitted mail': someIssuer(() => ({ permitted: [{ email: 'example.com' }] })),
  'permitted URIs': someIssuer(() => ({ permitted: [{ uri: 'example.com' }] })),
  'leaf name': leaf((random) => ({ names: [{ dns: pick(random, DNS_NAMES) }] })),
  'more leaf names': leaf((random) => ({
    names: [{ dns: 'www.example.com' }, { dns: pick(random, DNS_NAMES) }],
  })),
  'leaf mail': leaf((random) => ({
    names: [
      { dns: 'www.example.com' },
      { email: pick(random, ['a@example.com', 'a@b@example.com', '*@example.com', 'a@other.test']) },
    ],
  })),
  'leaf URI': leaf((random) => ({
    names: [
      { dns: 'www.example.com' },
      { uri: pick(random, ['https://example.com/', 'https://other.test', 'urn:x:y', 'https://192.0.2.1/']) },
    ],
  })),
  'leaf address': leaf(() => ({ names: [{ dns: 'www.example.com' }, { ip: Uint8Array.of(192, 0, 2, 1) }] })),
  'no names': leaf(() => ({ names: [], commonName: 'www.example.com' })),
  'common name': leaf((random) => ({
    commonName: pick(random, ['www.example.com', 'WWW.example.com', 'other', '0x7f.1']),
  })),
  'leaf is a CA': leaf(() => ({ ca: true, commonName: 'www.example.com' })),
  'leaf key usage': leaf((random) => ({
    keyUsage: pick(random, [
      null,
      ['keyEncipherment'],
      ['digitalSignature', 'keyCertSign'],
      ['digitalSignature', 'cRLSign'],
    ] as const),
  })),
  'leaf extension': leaf((random) => ({ extraExtensions: [pick(random, [EXTENSION, QUIET_EXTENSION])] })),
  'issuer extension': someIssuer((random) => ({
    extraExtensions: [pick(random, [EXTENSION, QUIET_EXTENSION])],
  })),
  'serial number': leaf((random) => ({
    serial: pick(random, [
      Uint8Array.of(0),
      Uint8Array.of(0x80),
      new Uint8Array(21).fill(1),
      Uint8Array.of(1),
    ]),
  })),
  'issuer without key identifiers': someIssuer(() => ({ keyIdentifiers: false })),
  'leaf key': leaf((random) => ({
    keys: makeKeys(pick(random, ['ec-p384', 'ec-p521', 'ed25519', 'rsa', 'rsa-1024'])),
  })),
  'issuer key': someIssuer((random) => ({ keys: makeKeys(pick(random, ['ec-p384', 'ed25519', 'rsa'])) })),
  'other host': (draft, random) => {
    draft.host = pick(random, [
      'example.com',
      'a.example.com',
      'WWW.example.com',
      'www.example.com.',
      'xn--bcher-kva.example.com',
      '192.0.2.1',
    ]);
  },
  'same issuer names': someIssuer(() => ({ commonName: 'root' })),
  shuffled: after(([first, ...rest], random) => [first!, ...rest.sort(() => random() - 0.5)]),
  'certificate missing': after((chain, random) => chain.filter((_, index) => index === 0 || random() > 0.5)),
  'certificate doubled': after((chain, random) => [...chain, pick(random, chain)]),
  'byte changed': after((chain, random) => {
    const at = Math.floor(random() * chain.length);
    const bytes = Uint8Array.from(chain[at] ?? []);
    const place = Math.floor(random() * bytes.length);
    bytes[place] = (bytes[place] ?? 0) ^ (1 << Math.floor(random() * 8));
    return chain.with(at, bytes);
  }),
};

const CHANGE_NAMES = Object.keys(CHANGES);

function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('a choice among nothing');
  return found;
}
