import { EMPTY } from '#runtime';
import { Reader } from '../wire/reader.ts';
import { u32 } from '../wire/writer.ts';

/** RFC 8446 4.2.10: in ClientHello and EncryptedExtensions the extension is empty. */
export const EARLY_DATA_INDICATION: Uint8Array = EMPTY;

/** Whether the extension is there; with a body it is malformed. */
export function decodeEarlyDataIndication(body: Uint8Array | undefined): boolean {
  if (body === undefined) return false;
  new Reader(body, 'early_data').finish();
  return true;
}

/** In NewSessionTicket: max_early_data_size, bytes of plaintext. */
export function encodeEarlyDataLimit(bytes: number): Uint8Array {
  return u32(bytes);
}

export function decodeEarlyDataLimit(body: Uint8Array): number {
  const reader = new Reader(body, 'early_data');
  const limit = reader.u32();
  reader.finish();
  return limit;
}
