import { Reader } from '../wire/reader.ts';
import { vector16 } from '../wire/writer.ts';

/** RFC 8446 4.2.2. */
export function encodeCookie(cookie: Uint8Array): Uint8Array {
  return vector16(cookie);
}

export function decodeCookie(body: Uint8Array): Uint8Array {
  const reader = new Reader(body, 'cookie');
  const cookie = reader.vector16(1);
  reader.finish();
  return cookie;
}
