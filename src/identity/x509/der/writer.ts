import { concat, fromAscii } from '#runtime';
import { encodeOid } from './oid.ts';
import { TAG } from './tag.ts';
import { timeText } from './time.ts';

/** One DER value: tag, length in its shortest form, contents. */
export function encode(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concat(...contents);
  return concat(Uint8Array.of(tag), encodeLength(body.length), body);
}

export function encodeSequence(...values: readonly Uint8Array[]): Uint8Array {
  return encode(TAG.sequence, ...values);
}

/** X.690 11.6: the values of a SET OF are in ascending order of their encodings. */
export function encodeSetOf(...values: readonly Uint8Array[]): Uint8Array {
  return encode(TAG.set, ...[...values].sort((a, b) => Buffer.compare(a, b)));
}

/** INTEGER from unsigned big-endian octets. */
export function encodeUnsigned(octets: Uint8Array): Uint8Array {
  const first = octets.findIndex((octet) => octet !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : octets.subarray(first);
  return encode(TAG.integer, (digits[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), digits) : digits);
}

export function encodeOidValue(oid: string): Uint8Array {
  return encode(TAG.objectIdentifier, encodeOid(oid));
}

/** BIT STRING of whole octets. */
export function encodeOctetBits(octets: Uint8Array): Uint8Array {
  return encode(TAG.bitString, Uint8Array.of(0), octets);
}

/** Milliseconds since the Unix epoch, cut to whole seconds, as RFC 5280 4.1.2.5 wants it. */
export function encodeTime(time: number): Uint8Array {
  const { tag, text } = timeText(time);
  return encode(tag, fromAscii(text));
}

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}
