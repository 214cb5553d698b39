import { fromAscii } from '#runtime';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u8, vector16 } from '../wire/writer.ts';

const HOST_NAME = 0;

/** RFC 6066 3: ServerNameList with one host_name. */
export function encodeServerName(name: string): Uint8Array {
  return vector16(u8(HOST_NAME), vector16(fromAscii(name)));
}

/** The host name, lower case (DNS names compare without case). */
export function decodeServerName(body: Uint8Array): string {
  const reader = new Reader(body, 'server_name');
  const list = new Reader(reader.vector16(1), 'server_name');
  reader.finish();
  // RFC 6066 3 defines host_name only, and "MUST NOT contain more than one name of the same name_type".
  if (list.u8() !== HOST_NAME) fail('malformed-message', 'server_name: a type other than host_name');
  const name = Buffer.from(list.vector16(1)).toString('latin1');
  list.finish();
  if (name.length > 255 || !/^[\x21-\x7e]+$/.test(name)) {
    fail('illegal-parameter', 'server_name: not a printable ASCII name of at most 255 bytes');
  }
  return name.toLowerCase();
}
