import { fromAscii } from '#runtime';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { vector8, vector16 } from '../wire/writer.ts';

/** RFC 7301 3.1: ProtocolNameList. Names are byte strings; here as Latin-1 text, one character a byte. */
export function encodeAlpn(protocols: readonly string[]): Uint8Array {
  return vector16(...protocols.map((protocol) => vector8(fromAscii(protocol))));
}

export function decodeAlpn(body: Uint8Array): string[] {
  const reader = new Reader(body, 'ALPN');
  const list = new Reader(reader.vector16(2), 'ALPN');
  reader.finish();
  const protocols: string[] = [];
  while (list.left > 0) protocols.push(Buffer.from(list.vector8(1)).toString('latin1'));
  return protocols;
}

/** RFC 7301 3.1: the server's answer "MUST contain exactly one ProtocolName". */
export function decodeSelectedAlpn(body: Uint8Array): string {
  const [protocol, ...more] = decodeAlpn(body);
  if (protocol === undefined || more.length > 0)
    fail('malformed-message', 'ALPN: not exactly one protocol chosen');
  return protocol;
}
