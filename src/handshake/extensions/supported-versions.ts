import { Reader } from '../wire/reader.ts';
import { u16, vector8 } from '../wire/writer.ts';

export const TLS12 = 0x0303;
export const TLS13 = 0x0304;

/** RFC 8446 4.2.1, in ClientHello. */
export function encodeOfferedVersions(versions: readonly number[]): Uint8Array {
  return vector8(...versions.map(u16));
}

export function decodeOfferedVersions(body: Uint8Array): number[] {
  const reader = new Reader(body, 'supported_versions');
  const list = new Reader(reader.vector8(2, 254), 'supported_versions');
  reader.finish();
  const versions: number[] = [];
  while (list.left > 0) versions.push(list.u16());
  return versions;
}

/** RFC 8446 4.2.1, in ServerHello and HelloRetryRequest. */
export function decodeSelectedVersion(body: Uint8Array): number {
  const reader = new Reader(body, 'supported_versions');
  const version = reader.u16();
  reader.finish();
  return version;
}
