import { toHex } from '#runtime';
import { readOid } from './der/oid.ts';
import type { DerReader, Element } from './der/reader.ts';
import { TAG } from './der/tag.ts';
import { ia5Text } from './der/values.ts';
import { LIMITS } from './limits.ts';
import { ATTRIBUTE_NAMES } from './oids.ts';
import { X509Error } from './problem.ts';

/** A distinguished name. Two names are the same when their DER is; `text` is for people only. */
export interface Name {
  readonly der: Uint8Array;
  readonly empty: boolean;
  readonly text: string;
  /** The relative names in order, each with its attributes. */
  readonly parts: readonly (readonly Attribute[])[];
}

/** AttributeTypeAndValue (RFC 5280 4.1.2.4). */
export interface Attribute {
  readonly oid: string;
  readonly tag: number;
  readonly contents: Uint8Array;
}

/**
 * Name (RFC 5280 4.1.2.4). Names are compared byte by byte: RFC 5280 7.1 asks CAs to encode a name the same way
 * everywhere, and folding cases or spaces would make two different names one.
 */
export function readName(reader: DerReader, what: string, tag: number = TAG.sequence): Name {
  const element = reader.expect(tag, what);
  const sequence = reader.inside(element);
  const texts: string[] = [];
  const parts: (readonly Attribute[])[] = [];
  while (!sequence.atEnd) {
    if (parts.length === LIMITS.relativeNames) {
      throw new X509Error(sequence.offset, `${what} has more than ${LIMITS.relativeNames} parts`);
    }
    const attributes = readRelativeName(sequence, what);
    parts.push(attributes.map(({ oid, tag, contents }) => ({ oid, tag, contents })));
    texts.push(attributes.map(({ text }) => text).join('+'));
  }
  return Object.freeze({
    der: reader.whole(element).slice(),
    empty: parts.length === 0,
    text: parts.length === 0 ? '(empty name)' : texts.join(', '),
    parts,
  });
}

/** RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue, in DER's order. */
function readRelativeName(sequence: DerReader, what: string): readonly (Attribute & { text: string })[] {
  const set = sequence.inside(sequence.expect(TAG.set, `relative name of ${what}`));
  const attributes: (Attribute & { text: string })[] = [];
  let previous: Uint8Array | undefined;
  do {
    const element = set.expect(TAG.sequence, `attribute of ${what}`);
    const encoded = set.whole(element);
    if (previous !== undefined && Buffer.compare(previous, encoded) >= 0) {
      throw new X509Error(element.start, `the attributes of ${what} are not in DER's order`);
    }
    previous = encoded;
    attributes.push(readAttribute(set.inside(element), what));
  } while (!set.atEnd);
  return attributes;
}

function readAttribute(attribute: DerReader, what: string): Attribute & { text: string } {
  const oid = readOid(attribute, `attribute type of ${what}`);
  const value = attribute.any(`attribute value of ${what}`);
  attribute.finish(`attribute of ${what}`);
  const text = `${ATTRIBUTE_NAMES[oid] ?? oid}=${attributeText(attribute, value, what)}`;
  return { oid, tag: value.tag, contents: attribute.contents(value), text };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function attributeText(reader: DerReader, value: Element, what: string): string {
  const contents = reader.contents(value);
  switch (value.tag) {
    case TAG.utf8String:
      return escapeText(decodeUtf8(contents, value.contents, what));
    case TAG.printableString: {
      const text = ia5Text(reader, value, what);
      // X.680 41.4; RFC 5280 appendix A.1 keeps "*", "@" and "&" out of it.
      if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) {
        throw new X509Error(value.start, `${what} has a PrintableString with other characters`);
      }
      return escapeText(text);
    }
    case TAG.ia5String:
      return escapeText(ia5Text(reader, value, what));
    default:
      // RFC 4514 2.4: other types are shown as "#" and their BER in hexadecimal.
      return `#${toHex(reader.whole(value))}`;
  }
}

function decodeUtf8(contents: Uint8Array, offset: number, what: string): string {
  try {
    return UTF8.decode(contents);
  } catch {
    throw new X509Error(offset, `${what} has a UTF8String that is not UTF-8`);
  }
}

/** RFC 4514 2.4, and control characters, which would forge log lines. */
function escapeText(text: string): string {
  return text
    .replace(/[\\,+"<>;=]/g, (character) => `\\${character}`)
    .replace(/\p{C}/gu, (character) => `\\${toHex(Buffer.from(character))}`);
}
