import { X509Error } from '../problem.ts';
import type { DerReader, Element } from './reader.ts';
import { TAG } from './tag.ts';

/** X.690 11.1: TRUE is one octet 0xff. */
export function readBoolean(reader: DerReader, what: string): boolean {
  const element = reader.expect(TAG.boolean, what);
  const contents = reader.contents(element);
  if (contents.length !== 1 || (contents[0] !== 0x00 && contents[0] !== 0xff)) {
    throw new X509Error(element.start, `${what} is no DER boolean`);
  }
  return contents[0] === 0xff;
}

/**
 * BOOLEAN DEFAULT FALSE. X.690 11.5: "The encoding of a set value or sequence value shall not include an encoding
 * for any component value which is equal to its default value."
 */
export function readBooleanDefaultFalse(reader: DerReader, what: string): boolean {
  if (reader.next !== TAG.boolean) return false;
  const start = reader.offset;
  if (!readBoolean(reader, what)) throw new X509Error(start, `${what} is false, which DER leaves out`);
  return true;
}

/** Contents of an INTEGER in the fewest octets, two's complement (X.690 8.3.2). */
export function readInteger(reader: DerReader, what: string, tag: number = TAG.integer): Uint8Array {
  const element = reader.expect(tag, what);
  const contents = reader.contents(element);
  const [first, second] = contents;
  if (first === undefined) throw new X509Error(element.start, `${what} is an integer without octets`);
  if (second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new X509Error(element.start, `${what} is an integer that is not in its shortest form`);
  }
  return contents;
}

/** An INTEGER from 0 to 2^31 - 1. */
export function readSmallInteger(reader: DerReader, what: string, tag: number = TAG.integer): number {
  const start = reader.offset;
  const contents = readInteger(reader, what, tag);
  if (contents.length > 4 || (contents[0] ?? 0) >= 0x80) {
    throw new X509Error(start, `${what} is negative or larger than 2^31 - 1`);
  }
  return contents.reduce((value, octet) => value * 256 + octet, 0);
}

/** BIT STRING of whole octets: keys and signatures. */
export function readOctetBits(reader: DerReader, what: string): Uint8Array {
  const element = reader.expect(TAG.bitString, what);
  const contents = reader.contents(element);
  if (contents[0] !== 0) throw new X509Error(element.start, `${what} is no bit string of whole octets`);
  return contents.subarray(1);
}

/**
 * BIT STRING that is a list of named bits, at most 16 of them: bit n of the result is named bit n.
 * X.690 11.2.2: trailing zero bits are removed. At least one bit has to be set (RFC 5280 4.2.1.3).
 */
export function readNamedBits(reader: DerReader, what: string, tag: number = TAG.bitString): number {
  const element = reader.expect(tag, what);
  const [unused, ...octets] = reader.contents(element);
  const last = octets.at(-1);
  if (unused === undefined || unused > 7 || last === undefined || octets.length > 2) {
    throw new X509Error(element.start, `${what} is no list of 1 to 16 bits`);
  }
  const lowestKept = 1 << unused;
  if ((last & (lowestKept - 1)) !== 0)
    throw new X509Error(element.start, `${what} has unused bits that are set`);
  if ((last & lowestKept) === 0) throw new X509Error(element.start, `${what} has trailing zero bits`);
  let bits = 0;
  for (const [index, octet] of octets.entries()) {
    for (let bit = 0; bit < 8; bit += 1) {
      if ((octet & (0x80 >> bit)) !== 0) bits |= 1 << (index * 8 + bit);
    }
  }
  return bits;
}

export function readOctets(reader: DerReader, what: string, tag: number = TAG.octetString): Uint8Array {
  return reader.contents(reader.expect(tag, what));
}

/** IA5String without control characters: a NUL or line break in a name is an attack (CVE-2025-66220), never a need. */
export function ia5Text(reader: DerReader, element: Element, what: string): string {
  const contents = reader.contents(element);
  const wrong = contents.findIndex((octet) => octet < 0x20 || octet > 0x7e);
  if (wrong >= 0) {
    throw new X509Error(
      element.contents + wrong,
      `${what} has the octet 0x${(contents[wrong] ?? 0).toString(16)}`,
    );
  }
  return String.fromCharCode(...contents);
}
