import { concat } from '#runtime';
import { CONTENT, type ContentName, HEADER_LENGTH } from '../record/header.ts';
import { u8, u16, vector24 } from '../wire/writer.ts';

/** One record in the clear; the type may be one that TLS does not have. */
export function record(type: ContentName | number, content: Uint8Array, version = 0x0303): Uint8Array {
  const number = typeof type === 'number' ? type : CONTENT[type];
  return concat(u8(number), u16(version), u16(content.length), content);
}

/** A handshake message with any type number. */
export function handshakeMessage(type: number, body: Uint8Array): Uint8Array {
  return concat(u8(type), vector24(body));
}

/** The records of a flight, each with its header. */
export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const length = HEADER_LENGTH + bytes[offset + 3]! * 256 + bytes[offset + 4]!;
    records.push(bytes.slice(offset, offset + length));
    offset += length;
  }
  return records;
}

/** The same bytes in pieces of the given lengths, taken in turn. */
export function rechunk(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (let index = 0; offset < bytes.length; index += 1) {
    const length = Math.max(lengths[index % lengths.length] ?? 1, 1);
    pieces.push(bytes.slice(offset, offset + length));
    offset += length;
  }
  return pieces;
}

/** A plaintext handshake record cut into records with one byte of content each. */
export function shatter(handshakeRecord: Uint8Array): Uint8Array[] {
  return [...handshakeRecord.slice(HEADER_LENGTH)].map((byte) => record('handshake', Uint8Array.of(byte)));
}

/** The same bytes with one bit of one byte changed. */
export function flip(bytes: Uint8Array, offset: number, mask = 1): Uint8Array {
  const changed = bytes.slice();
  changed[offset]! ^= mask;
  return changed;
}
