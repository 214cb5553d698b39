import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serviceAccountId } from '#identity';
import { type Cidr, contains, formatAddress, parseAddress, parseCidr } from '#policy';
import { type DestinationEntry, Destinations, type MeshedDestination } from './destinations.ts';

const STATUS = 15_020;
const ORDERS = [serviceAccountId('mesh.test', 'shop', 'orders')];
const nobody = (): boolean => false;

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function entry(
  network: string,
  port?: number,
  meshed?: Partial<MeshedDestination>,
  service?: string,
): DestinationEntry {
  const full = { identities: ORDERS, targetPort: undefined, endpoints: [], ...meshed };
  return { network: cidr(network), port, service, meshed: meshed === undefined ? undefined : full };
}

describe('the most specific entry wins', () => {
  const destinations = new Destinations(
    [cidr('10.0.0.0/8'), cidr('fd00::/8')],
    [
      entry('10.1.0.0/16', undefined, {}),
      entry('10.1.2.0/24', 80),
      entry('10.1.2.3/32', 5432),
      entry('10.1.2.0/24', undefined, {}),
      entry('fd00::/64', undefined, {}),
      entry('203.0.113.0/24'),
    ],
    STATUS,
  );
  const kind = (host: string, port: number): string =>
    destinations.destinationOf({ host, port }, nobody).kind;

  test('the longer prefix, then the named port', () => {
    expect(kind('10.1.9.9', 80)).toBe('meshed');
    expect(kind('10.1.2.9', 80)).toBe('unmeshed');
    expect(kind('10.1.2.9', 81)).toBe('meshed');
    expect(kind('10.1.2.3', 5432)).toBe('unmeshed');
    // The /32 does not speak of this port, the next network does.
    expect(kind('10.1.2.3', 80)).toBe('unmeshed');
    expect(kind('10.1.2.3', 81)).toBe('meshed');
    expect(kind('fd00::7', 1)).toBe('meshed');
  });

  test("unknown inside the cluster's networks, egress outside", () => {
    expect(kind('10.2.0.1', 80)).toBe('unknown');
    expect(kind('fd00:1::1', 80)).toBe('unknown');
    expect(kind('192.0.2.1', 443)).toBe('egress');
    expect(kind('2001:db8::1', 443)).toBe('egress');
    expect(kind('203.0.113.5', 443)).toBe('unmeshed');
    expect(kind('not an address', 443)).toBe('unknown');
  });

  test('the status port of sidecars, which answer it in plaintext, unless somebody says otherwise', () => {
    expect(kind('10.1.9.9', STATUS)).toBe('unmeshed');
    expect(kind('10.2.0.1', STATUS)).toBe('unknown');
    const named = new Destinations([], [entry('10.1.0.0/16', STATUS, {})], STATUS);
    expect(named.destinationOf({ host: '10.1.9.9', port: STATUS }, nobody).kind).toBe('meshed');
  });

  test('whether somebody at an address has a sidecar', () => {
    expect(destinations.hasSidecar('10.1.9.9')).toBe(true);
    expect(destinations.hasSidecar('10.1.2.3')).toBe(false);
    expect(destinations.hasSidecar('192.0.2.1')).toBe(false);
    expect(destinations.hasSidecar('::ffff:10.1.9.9')).toBe(true);
  });
});

describe('a Service', () => {
  test('is dialled where it was called, and its name says the port of the workload', () => {
    const destinations = new Destinations(
      [],
      [entry('10.96.0.7/32', 80, { targetPort: 8080 }, 'orders.shop')],
      STATUS,
    );
    const called = { host: '10.96.0.7', port: 80 };
    expect(destinations.destinationOf(called, nobody)).toEqual({
      kind: 'meshed',
      address: called,
      port: 8080,
      identities: ORDERS,
    });
    expect(destinations.serviceAt(called)).toBe('orders.shop');
    expect(destinations.serviceAt({ host: '10.96.0.7', port: 81 })).toBeUndefined();
  });

  test('with named endpoints is a set of them, the same one until something changes', () => {
    const meshed = { targetPort: 8080, endpoints: ['10.1.0.1', 'fd00::1'] };
    const entries = [entry('10.96.0.7/32', undefined, meshed, 'orders.shop')];
    const destinations = new Destinations([], entries, STATUS);
    const at = (port: number) => destinations.destinationOf({ host: '10.96.0.7', port }, nobody);
    const set = {
      service: 'orders.shop:80',
      endpoints: [
        { kind: 'meshed', address: { host: '10.1.0.1', port: 8080 }, port: 8080, identities: ORDERS },
        { kind: 'meshed', address: { host: 'fd00::1', port: 8080 }, port: 8080, identities: ORDERS },
      ],
    };
    const first = at(80);
    expect(first).toEqual({ kind: 'service', endpoints: set });
    const again = at(80);
    expect(first.kind === 'service' && again.kind === 'service' && first.endpoints === again.endpoints).toBe(
      true,
    );
    expect(at(81)).toMatchObject({ endpoints: { service: 'orders.shop:81' } });
  });

  test('without a target port has the port that was called, also after another one was', () => {
    const entries = [entry('10.96.0.7/32', undefined, { endpoints: ['10.1.0.1'] })];
    const destinations = new Destinations([], entries, STATUS);
    for (const port of [80, 81, 80]) {
      expect(destinations.destinationOf({ host: '10.96.0.7', port }, nobody)).toMatchObject({
        endpoints: { service: `10.96.0.7:${port}`, endpoints: [{ address: { host: '10.1.0.1', port } }] },
      });
    }
  });
});

test('our own address is ourselves, whatever is said of its network', () => {
  const destinations = new Destinations([], [entry('10.1.0.0/16', undefined, {})], STATUS);
  const called = { host: '10.1.0.5', port: 80 };
  expect(destinations.destinationOf(called, (host) => host === '10.1.0.5')).toEqual({
    kind: 'self',
    address: called,
  });
});

const word = fc.constantFrom(0, 0x0a00_0000, 0x0a01_0203, 0xffff_ffff, 0x8000_0000);
const address = fc.oneof(
  fc.tuple(word),
  // Not IPv4-mapped, which is an IPv4 address.
  fc.tuple(fc.constantFrom(0xfd00_0000, 0x2001_0db8), word, word, word),
);
const generated = fc.record({
  address,
  prefix: fc.nat({ max: 128 }),
  port: fc.option(fc.constantFrom(80, 443), { nil: undefined }),
  service: fc.string({ minLength: 1, maxLength: 3 }),
});

test('finds what looking at every entry would find', () => {
  fc.assert(
    fc.property(
      fc.array(generated, { maxLength: 30 }),
      address,
      fc.constantFrom(80, 443, 1),
      (list, words, port) => {
        const entries = list.map((one): DestinationEntry => {
          const bits = one.address.length * 32;
          const prefix = one.prefix % (bits + 1);
          const network = one.address.map((each, index) => (each & maskWord(prefix - index * 32)) >>> 0);
          return entry(`${formatAddress(network)}/${prefix}`, one.port, {}, one.service);
        });
        const naive = entries
          .filter(({ network, port: own }) => contains(network, words) && (own === undefined || own === port))
          .toSorted(
            (a, b) =>
              b.network.prefix - a.network.prefix ||
              Number(a.port === undefined) - Number(b.port === undefined),
          );
        const best = naive[0];
        const equals = naive.filter(
          (one) => one.network.prefix === best?.network.prefix && one.port === best.port,
        );
        const found = new Destinations([], entries, STATUS).serviceAt({ host: formatAddress(words), port });
        if (best === undefined) expect(found).toBeUndefined();
        else expect(equals.map(({ service }) => service)).toContain(found);
        expect(parseAddress(formatAddress(words))).toEqual(words);
      },
    ),
  );
});

function maskWord(prefix: number): number {
  if (prefix <= 0) return 0;
  return prefix >= 32 ? 0xffff_ffff : (0xffff_ffff << (32 - prefix)) >>> 0;
}
