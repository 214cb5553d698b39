import { Reader } from '../wire/reader.ts';

/** supported_groups (RFC 8446 4.2.7) and signature_algorithms (4.2.3): one 16-bit vector of 16-bit numbers. */
export function decodeNumbers(body: Uint8Array, what: string): number[] {
  const reader = new Reader(body, what);
  const numbers = reader.numbers16();
  reader.finish();
  return numbers;
}
