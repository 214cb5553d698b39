import { describe, expect, it } from 'vitest';
import { DerReader } from './der/reader.ts';
import { TAG } from './der/tag.ts';
import { encode, encodeOidValue, encodeSequence, encodeSetOf } from './der/writer.ts';
import { LIMITS } from './limits.ts';
import { readName } from './name.ts';
import { reading } from './problem.ts';

const attribute = (oid: string, tag: number, value: string | Uint8Array): Uint8Array =>
  encodeSequence(encodeOidValue(oid), encode(tag, typeof value === 'string' ? Buffer.from(value) : value));
const CN = '2.5.4.3';
const O = '2.5.4.10';

function textOf(...sets: Uint8Array[]): string {
  const name = reading(() => readName(new DerReader(encodeSequence(...sets)), 'name'));
  return name.ok ? name.value.text : `refused: ${name.error.what}`;
}

describe('readName', () => {
  it('shows attributes of every kind', () => {
    expect(
      textOf(
        encodeSetOf(attribute('2.5.4.6', TAG.printableString, 'DE')),
        encodeSetOf(attribute(O, TAG.utf8String, 'Bäckerei'), attribute(CN, TAG.ia5String, 'a@b')),
        encodeSetOf(attribute('1.2.3', TAG.utf8String, 'x')),
        encodeSetOf(attribute(CN, 0x14, 'T61')),
      ),
    ).toBe('C=DE, CN=a@b+O=Bäckerei, 1.2.3=x, CN=#1403543631');
    expect(textOf()).toBe('(empty name)');
  });

  it('lets no name forge a log line or another name', () => {
    const text = textOf(encodeSetOf(attribute(CN, TAG.utf8String, 'web, O=bank\nlevel=info\u202e')));
    expect(text).toBe('CN=web\\, O\\=bank\\0alevel\\=info\\e280ae');
  });

  it.each([
    ['an empty set', encode(TAG.set), 'attribute of name'],
    [
      'attributes out of order',
      encode(TAG.set, attribute(O, TAG.utf8String, 'x'), attribute(CN, TAG.utf8String, 'x')),
      "not in DER's order",
    ],
    [
      'an attribute twice',
      encode(TAG.set, attribute(CN, TAG.utf8String, 'x'), attribute(CN, TAG.utf8String, 'x')),
      "not in DER's order",
    ],
    [
      'UTF-8 that is none',
      encodeSetOf(attribute(CN, TAG.utf8String, Uint8Array.of(0xc0, 0x80))),
      'not UTF-8',
    ],
    [
      'other characters in a PrintableString',
      encodeSetOf(attribute(CN, TAG.printableString, 'a_b')),
      'PrintableString with other characters',
    ],
    ['a NUL in an IA5String', encodeSetOf(attribute(CN, TAG.ia5String, 'a\0b')), 'octet 0x0'],
  ])('refuses %s', (_, set, problem) => {
    expect(textOf(set)).toContain(problem);
  });

  it('refuses a name of too many parts', () => {
    const part = encodeSetOf(attribute(CN, TAG.utf8String, 'x'));
    expect(textOf(...Array.from({ length: LIMITS.relativeNames + 1 }, () => part))).toContain(
      'more than 64 parts',
    );
  });
});
