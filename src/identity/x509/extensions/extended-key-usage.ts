import { readOid } from '../der/oid.ts';
import type { DerReader } from '../der/reader.ts';
import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.12: what the key may be used for, as object identifiers. */
export type ExtendedKeyUsage = ReadonlySet<string>;

export function readExtendedKeyUsage(value: DerReader): ExtendedKeyUsage {
  const sequence = value.sequence('extendedKeyUsage');
  const purposes = new Set<string>();
  do {
    if (purposes.size === LIMITS.purposes) {
      throw new X509Error(sequence.offset, `extendedKeyUsage has more than ${LIMITS.purposes} purposes`);
    }
    purposes.add(readOid(sequence, 'purpose in extendedKeyUsage'));
  } while (!sequence.atEnd);
  return purposes;
}
