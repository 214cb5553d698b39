import { EMPTY } from '#runtime';
import { Reader } from '../wire/reader.ts';

/** RFC 8446 4.5: an empty message. */
export function decodeEndOfEarlyData(body: Uint8Array): undefined {
  new Reader(body, 'EndOfEarlyData').finish();
}

export function encodeEndOfEarlyData(): Uint8Array {
  return EMPTY;
}
