import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, equal, fromHex } from '#runtime';
import { LIMITS } from '../limits.ts';
import { reading } from '../problem.ts';
import { encodeOid, readOid } from './oid.ts';
import { DerReader } from './reader.ts';
import { TAG } from './tag.ts';
import { readTime } from './time.ts';
import { readBoolean, readInteger, readNamedBits, readOctetBits, readSmallInteger } from './values.ts';
import {
  encode,
  encodeOidValue,
  encodeOctetBits,
  encodeSequence,
  encodeSetOf,
  encodeTime,
  encodeUnsigned,
} from './writer.ts';

function problem(hex: string, read: (reader: DerReader) => unknown): string {
  const result = reading(() => read(new DerReader(fromHex(hex))));
  return result.ok ? `read ${String(result.value)}` : `${result.error.offset}: ${result.error.what}`;
}

describe('DER round trips', () => {
  it('of any contents, with lengths of one to three octets', () => {
    const lengths = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 70_000));
    fc.assert(
      fc.property(lengths, fc.nat(255), (length, fill) => {
        const contents = new Uint8Array(length).fill(fill);
        const reader = new DerReader(encode(TAG.octetString, contents));
        expect(equal(reader.contents(reader.expect(TAG.octetString, 'value')), contents)).toBe(true);
        reader.finish('all');
      }),
    );
  });

  it('of unsigned integers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (octets) => {
        const contents = readInteger(new DerReader(encodeUnsigned(octets)), 'integer');
        expect(BigInt(`0x${Buffer.from(contents).toString('hex')}`)).toBe(
          BigInt(`0x${Buffer.from(octets).toString('hex')}`),
        );
      }),
    );
  });

  it('of object identifiers', () => {
    const arc = fc.nat(2 ** 31 - 1);
    const start = fc.oneof(fc.tuple(fc.constantFrom(0, 1), fc.nat(39)), fc.tuple(fc.constant(2), arc));
    fc.assert(
      fc.property(start, fc.array(arc, { maxLength: 5 }), (first, rest) => {
        const oid = [...first, ...rest].join('.');
        expect(readOid(new DerReader(encodeOidValue(oid)), 'oid')).toBe(oid);
      }),
    );
  });

  it('of times, to the second, in the form that the year asks for', () => {
    const times = fc.integer({ min: Date.UTC(1950, 0), max: Date.UTC(9999, 11, 31, 23, 59, 59) });
    fc.assert(
      fc.property(times, (time) => {
        const encoded = encodeTime(time);
        expect(readTime(new DerReader(encoded), 'time')).toBe(Math.floor(time / 1000) * 1000);
        expect(encoded[0]).toBe(time < Date.UTC(2050, 0) ? TAG.utcTime : TAG.generalizedTime);
      }),
    );
  });

  it('of nested values, each prefix refused', () => {
    const { value } = fc.letrec<{ value: Uint8Array }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.uint8Array({ maxLength: 9 }).map((bytes) => encode(TAG.octetString, bytes)),
        fc.array(tie('value'), { maxLength: 3 }).map((values) => encodeSequence(...values)),
      ),
    }));
    const walk = (reader: DerReader): void => {
      while (!reader.atEnd) {
        const element = reader.any('value');
        if (element.tag === TAG.sequence) walk(reader.inside(element));
      }
    };
    fc.assert(
      fc.property(value, (encoded) => {
        expect(reading(() => walk(new DerReader(encoded))).ok).toBe(true);
        for (let length = 1; length < encoded.length; length += 1) {
          const cut = reading(() => new DerReader(encoded.subarray(0, length)).any('value'));
          expect(cut.ok).toBe(false);
        }
      }),
    );
  });
});

describe('DER refuses', () => {
  it.each([
    ['no tag', '', '0: value is cut off'],
    ['no length', '04', '1: value is cut off'],
    ['an indefinite length', '3080', 'indefinite length'],
    ['a length octet too many', `048105${'00'.repeat(5)}`, 'not in its shortest form'],
    ['two length octets too many', `0482007f${'00'.repeat(127)}`, 'not in its shortest form'],
    ['a length of four octets', '0484000000050000000000', 'length of 4 octets'],
    ['a length past the end', '0405aabb', 'claims 5 bytes where 2 are left'],
    ['a tag number above 30', '1f8101', 'tag number above 30'],
  ])('%s', (_, hex, what) => {
    expect(problem(hex, (reader) => reader.any('value'))).toContain(what);
  });

  it('a value that reaches past the one around it', () => {
    expect(problem('3003040200000000', (reader) => reader.sequence('outer').any('inner'))).toContain(
      '2: inner claims 2 bytes where 1 are left',
    );
  });

  it('nesting deeper than certificates have', () => {
    let value: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth <= LIMITS.depth; depth += 1) value = encodeSequence(value);
    const descend = (reader: DerReader): number => (reader.atEnd ? 0 : 1 + descend(reader.sequence('level')));
    const result = reading(() => descend(new DerReader(value)));
    expect(result.ok ? '' : result.error.what).toBe(`values are nested more than ${LIMITS.depth} deep`);
    expect(reading(() => descend(new DerReader(value.subarray(2)))).ok).toBe(true);
  });

  it.each([
    ['010101', readBoolean, 'no DER boolean'],
    ['0100', readBoolean, 'no DER boolean'],
    ['01020000', readBoolean, 'no DER boolean'],
    ['0200', readInteger, 'without octets'],
    ['02020001', readInteger, 'shortest form'],
    ['0202ff80', readInteger, 'shortest form'],
    ['0201ff', readSmallInteger, 'negative'],
    ['02050100000000', readSmallInteger, 'larger than'],
    ['03020100', readOctetBits, 'whole octets'],
    ['0300', readOctetBits, 'whole octets'],
    ['030208ff', readNamedBits, 'no list of 1 to 16 bits'],
    ['0304000000ff', readNamedBits, 'no list of 1 to 16 bits'],
    ['0600', readOid, 'object identifier of 0 octets'],
    ['06022a81', readOid, 'ends within an arc'],
    ['06032a8001', readOid, 'shortest form'],
    ['060a2affffffffffffffff7f', readOid, 'arc above 2^49'],
    ['0500', readInteger, 'should be integer (0x02), found null (0x05)'],
  ] as const)('%s', (hex, read, what) => {
    expect(problem(hex, (reader) => read(reader, 'value'))).toContain(what);
  });

  it.each([
    [TAG.utcTime, '260601000000+0000'],
    [TAG.utcTime, '2606010000Z'],
    [TAG.utcTime, '260230000000Z'],
    [TAG.utcTime, '261301000000Z'],
    [TAG.utcTime, '260601240000Z'],
    [TAG.utcTime, '260601000060Z'],
    [TAG.utcTime, '2606010000 0Z'],
    [TAG.generalizedTime, '20260601000000Z'],
    [TAG.generalizedTime, '20600601000000.5Z'],
    [TAG.generalizedTime, '206006010000Z'],
    [TAG.generalizedTime, '20610229000000Z'],
    [TAG.printableString, '260601000000Z'],
  ])('time 0x%i %s', (tag, text) => {
    const result = reading(() => readTime(new DerReader(encode(tag, Buffer.from(text))), 'time'));
    expect(result.ok).toBe(false);
  });
});

describe('the writer', () => {
  it('orders a SET OF', () => {
    const [a, b] = [encodeUnsigned(Uint8Array.of(1)), encodeUnsigned(Uint8Array.of(2))];
    expect(encodeSetOf(b, a)).toEqual(encode(TAG.set, a, b));
  });

  it('marks bit strings of whole octets', () => {
    expect(encodeOctetBits(Uint8Array.of(7))).toEqual(concat(fromHex('030200'), Uint8Array.of(7)));
  });

  it('refuses what is no object identifier', () => {
    for (const text of ['', '1', '3.1', '1.a', '1..2'])
      expect(() => encodeOid(text)).toThrow('no object identifier');
  });
});
