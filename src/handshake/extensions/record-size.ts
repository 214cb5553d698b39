import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u8, u16 } from '../wire/writer.ts';
import type { Extensions } from './extensions.ts';

/** How large a peer wants records to be, and what it is answered. */
export interface RecordSize {
  /** Most bytes of content in a record to it. */
  readonly limit: number;
  /** Most bytes of content in a record from it, if less than always. */
  readonly receiveLimit: number | undefined;
  readonly answer: readonly ['record_size_limit' | 'max_fragment_length', Uint8Array];
}

/** RFC 8449 4: "Endpoints MUST NOT send a value lower than 64". */
const LEAST_SIZE = 64;
/** What we accept: 2^14 bytes and the content type. */
const OUR_SIZE = 2 ** 14 + 1;

/**
 * What a ClientHello asks of record sizes, if anything. RFC 8449 5: "A server that supports the \"record_size_limit\"
 * extension MUST ignore a \"max_fragment_length\" that appears in a ClientHello if both extensions appear."
 */
export function requestedRecordSize(extensions: Extensions): RecordSize | undefined {
  const size = extensions.get('record_size_limit');
  if (size !== undefined) {
    const limit = decodeRecordSizeLimit(size);
    return { limit, receiveLimit: undefined, answer: ['record_size_limit', u16(OUR_SIZE)] };
  }
  const length = extensions.get('max_fragment_length');
  if (length === undefined) return undefined;
  const code = decodeMaxFragmentLength(length);
  const limit = 2 ** (8 + code);
  return { limit, receiveLimit: limit, answer: ['max_fragment_length', u8(code)] };
}

/** Content bytes. The extension counts the content type too, and padding, which never goes beyond the limit here. */
function decodeRecordSizeLimit(body: Uint8Array): number {
  const reader = new Reader(body, 'record_size_limit');
  const size = reader.u16();
  reader.finish();
  if (size < LEAST_SIZE) fail('illegal-parameter', `record_size_limit of ${size}`);
  return size - 1;
}

/** RFC 6066 4: 1 to 4 stand for 2^9 to 2^12 bytes; any other value is answered with illegal_parameter. */
function decodeMaxFragmentLength(body: Uint8Array): number {
  const reader = new Reader(body, 'max_fragment_length');
  const code = reader.u8();
  reader.finish();
  if (code < 1 || code > 4) fail('illegal-parameter', `max_fragment_length ${code}`);
  return code;
}
