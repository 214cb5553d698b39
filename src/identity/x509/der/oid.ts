import { X509Error } from '../problem.ts';
import type { DerReader } from './reader.ts';
import { TAG } from './tag.ts';

/** X.690 8.19 allows any size; the object identifiers of certificates have fewer than 20 octets. */
const LONGEST_OID_OCTETS = 32;
/** Arcs up to 2^49 are exact in a double; larger ones (2.25 UUIDs) name nothing that is known here. */
const LONGEST_ARC_OCTETS = 7;

/** OBJECT IDENTIFIER as dotted decimals: `2.5.29.17`. */
export function readOid(reader: DerReader, what: string, tag: number = TAG.objectIdentifier): string {
  const element = reader.expect(tag, what);
  const contents = reader.contents(element);
  if (contents.length === 0 || contents.length > LONGEST_OID_OCTETS) {
    throw new X509Error(element.start, `${what} is an object identifier of ${contents.length} octets`);
  }
  const arcs: number[] = [];
  let arc = 0;
  let length = 0;
  for (const [index, octet] of contents.entries()) {
    if (length === 0 && octet === 0x80) {
      throw new X509Error(element.contents + index, `${what} has an arc that is not in its shortest form`);
    }
    arc = arc * 128 + (octet & 0x7f);
    length += 1;
    if (length > LONGEST_ARC_OCTETS)
      throw new X509Error(element.contents + index, `${what} has an arc above 2^49`);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0;
      length = 0;
    }
  }
  if (length !== 0) throw new X509Error(element.end, `${what} ends within an arc`);
  const [joined = 0, ...rest] = arcs;
  const first = Math.min(Math.floor(joined / 40), 2);
  return [first, joined - first * 40, ...rest].join('.');
}

/** Contents octets of an object identifier that is written in our own tables. Throws for text of another form. */
export function encodeOid(oid: string): Uint8Array {
  if (!/^[0-2](\.\d+)+$/.test(oid)) throw new Error(`${oid} is no object identifier`);
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  return Uint8Array.from([first * 40 + second, ...rest].flatMap(encodeArc));
}

function encodeArc(arc: number): number[] {
  const octets = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
    octets.unshift((left % 128) | 0x80);
  }
  return octets;
}
