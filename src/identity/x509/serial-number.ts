import { toHex } from '#runtime';
import type { DerReader } from './der/reader.ts';
import { readInteger } from './der/values.ts';
import { LIMITS } from './limits.ts';
import { X509Error } from './problem.ts';

/** RFC 5280 4.1.2.2: a positive integer of at most 20 octets. Lower-case hexadecimal of its magnitude, whole octets. */
export function readSerialNumber(reader: DerReader): string {
  const start = reader.offset;
  const contents = readInteger(reader, 'serialNumber');
  if (contents.length > LIMITS.serialBytes) {
    throw new X509Error(
      start,
      `serialNumber has ${contents.length} octets; at most ${LIMITS.serialBytes} are allowed`,
    );
  }
  if ((contents[0] ?? 0) >= 0x80) throw new X509Error(start, 'serialNumber is negative');
  const magnitude = contents[0] === 0 ? contents.subarray(1) : contents;
  if (magnitude.length === 0) throw new X509Error(start, 'serialNumber is zero');
  return toHex(magnitude);
}
