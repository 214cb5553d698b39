import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';
import { contains, parseCidr } from './cidr.ts';

function cidr(text: string): NonNullable<ReturnType<typeof parseCidr> & { ok: true }>['value'] {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function holds(network: string, address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`${address} is no address`);
  return contains(cidr(network), parsed);
}

describe('parseCidr', () => {
  it.each([
    ['10.0.0.0', '"10.0.0.0" has no prefix length; for this one address write "10.0.0.0/32"'],
    ['::1', '"::1" has no prefix length; for this one address write "::1/128"'],
    ['10.0.0.0/33', 'the prefix length of "10.0.0.0/33" is not a number from 0 to 32'],
    ['10.0.0.0/08', 'the prefix length of "10.0.0.0/08" is not a number from 0 to 32'],
    ['10.0.0.0/', 'the prefix length of "10.0.0.0/" is not a number from 0 to 32'],
    ['10.1.2.3/8', '"10.1.2.3/8" has bits set after its prefix; the network is "10.0.0.0/8"'],
    ['2001:db8::1/32', '"2001:db8::1/32" has bits set after its prefix; the network is "2001:db8::/32"'],
    ['::ffff:10.0.0.0/104', '"::ffff:10.0.0.0/104" is an IPv4 network written as IPv6; write "10.0.0.0/8"'],
    ['fe80::%eth0/64', '"fe80::%eth0/64" is not an address and a prefix length like "10.0.0.0/8"'],
    ['shop', '"shop" is not an address and a prefix length like "10.0.0.0/8"'],
  ])('refuses %s and says what to write', (text, message) => {
    expect(parseCidr(text)).toEqual({ ok: false, error: message });
  });

  it('writes a network in one way', () => {
    expect(cidr('2001:0DB8:0:0:0:0:0:0/32').text).toBe('2001:db8::/32');
  });
});

describe('contains', () => {
  it.each([
    ['0.0.0.0/0', '192.0.2.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/32', '10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::/0', '::ffff:10.1.2.3', false],
    ['::/0', '10.1.2.3', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:db8::/128', '2001:db8::', true],
  ])('%s and %s: %s', (network, address, expected) => {
    expect(holds(network, address)).toBe(expected);
  });

  it('agrees with Node’s BlockList', () => {
    const words = (count: number): fc.Arbitrary<number[]> =>
      fc.array(fc.nat(0xffff_ffff), { minLength: count, maxLength: count });
    const world = fc
      .constantFrom(1, 4)
      .chain((count) => fc.tuple(words(count), words(count), fc.nat(count * 32), fc.boolean()));
    fc.assert(
      fc.property(world, ([network, other, prefix, inside]) => {
        // Half of the addresses are made to share the network's prefix; at random they never would.
        const bits = (address: readonly number[]): bigint =>
          address.reduce((all, word) => (all << 32n) | BigInt(word), 0n);
        const size = BigInt(network.length * 32);
        const host = (1n << (size - BigInt(prefix))) - 1n;
        const wordsOf = (value: bigint): number[] =>
          network.map((_, index) => Number((value >> (size - 32n * BigInt(index + 1))) & 0xffff_ffffn));
        const base = wordsOf(bits(network) & ~host);
        const address = inside ? wordsOf((bits(network) & ~host) | (bits(other) & host)) : other;
        fc.pre(!(network.length === 4 && base[0] === 0 && base[1] === 0));
        const family = network.length === 1 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(formatAddress(base), prefix, family);
        const expected = list.check(formatAddress(address), family);
        expect(contains(cidr(`${formatAddress(base)}/${prefix}`), address)).toBe(expected);
        if (inside) expect(expected).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
