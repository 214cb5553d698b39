import { concat } from '#runtime';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u16, vector16 } from '../wire/writer.ts';

/** RFC 8446 4.2.8: KeyShareEntry. */
export interface KeyShareEntry {
  readonly group: number;
  readonly keyExchange: Uint8Array;
}

function encodeEntry(entry: KeyShareEntry): Uint8Array {
  return concat(u16(entry.group), vector16(entry.keyExchange));
}

function decodeEntry(reader: Reader): KeyShareEntry {
  return { group: reader.u16(), keyExchange: reader.vector16(1) };
}

/** KeyShareClientHello. */
export function encodeClientShares(entries: readonly KeyShareEntry[]): Uint8Array {
  return vector16(...entries.map(encodeEntry));
}

export function decodeClientShares(body: Uint8Array): KeyShareEntry[] {
  const reader = new Reader(body, 'key_share');
  const list = new Reader(reader.vector16(0), 'key_share');
  reader.finish();
  const entries: KeyShareEntry[] = [];
  const groups = new Set<number>();
  while (list.left > 0) {
    const entry = decodeEntry(list);
    // RFC 8446 4.2.8: "Clients MUST NOT offer multiple KeyShareEntry values for the same group."
    if (groups.has(entry.group)) fail('illegal-parameter', `key_share: two shares for group ${entry.group}`);
    groups.add(entry.group);
    entries.push(entry);
  }
  return entries;
}

/** KeyShareServerHello. */
export function encodeServerShare(entry: KeyShareEntry): Uint8Array {
  return encodeEntry(entry);
}

export function decodeServerShare(body: Uint8Array): KeyShareEntry {
  const reader = new Reader(body, 'key_share');
  const entry = decodeEntry(reader);
  reader.finish();
  return entry;
}

/** KeyShareHelloRetryRequest: the group alone. */
export function decodeRetryGroup(body: Uint8Array): number {
  const reader = new Reader(body, 'key_share');
  const group = reader.u16();
  reader.finish();
  return group;
}
