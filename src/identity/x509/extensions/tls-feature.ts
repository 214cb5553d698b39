import type { DerReader } from '../der/reader.ts';
import { readSmallInteger } from '../der/values.ts';
import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';

/** RFC 7633 4.2.3.1: numbers of the TLS extensions that a server with this certificate always answers. */
export type TlsFeature = ReadonlySet<number>;

export function readTlsFeature(value: DerReader): TlsFeature {
  const sequence = value.sequence('tlsFeature');
  const features = new Set<number>();
  do {
    if (features.size === LIMITS.purposes) {
      throw new X509Error(sequence.offset, `tlsFeature has more than ${LIMITS.purposes} numbers`);
    }
    features.add(readSmallInteger(sequence, 'feature'));
  } while (!sequence.atEnd);
  return features;
}
