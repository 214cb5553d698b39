import { toHex } from '#runtime';
import type { DerReader } from './der/reader.ts';
import { TAG } from './der/tag.ts';
import { readInteger } from './der/values.ts';
import { LIMITS } from './limits.ts';
import { X509Error } from './problem.ts';

/**
 * RFC 5280 4.1.2.2: an integer of at most 20 octets that is not negative. Lower-case hexadecimal, whole octets. Zero
 * is read, as old roots carry it; below a root it is refused (path/serial-number.ts).
 */
export function readSerialNumber(reader: DerReader, tag: number = TAG.integer): string {
  const start = reader.offset;
  const contents = readInteger(reader, 'serialNumber', tag);
  if (contents.length > LIMITS.serialBytes) {
    throw new X509Error(
      start,
      `serialNumber has ${contents.length} octets; at most ${LIMITS.serialBytes} are allowed`,
    );
  }
  if ((contents[0] ?? 0) >= 0x80) throw new X509Error(start, 'serialNumber is negative');
  return toHex(contents[0] === 0 && contents.length > 1 ? contents.subarray(1) : contents);
}
