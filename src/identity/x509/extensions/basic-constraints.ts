import type { DerReader } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { readBooleanDefaultFalse, readSmallInteger } from '../der/values.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.9. */
export interface BasicConstraints {
  readonly ca: boolean;
  /** How many intermediates may follow below this CA; undefined: any number. */
  readonly pathLength: number | undefined;
}

export function readBasicConstraints(value: DerReader): BasicConstraints {
  const sequence = value.sequence('basicConstraints');
  const ca = readBooleanDefaultFalse(sequence, 'cA');
  const offset = sequence.offset;
  const pathLength =
    sequence.next === TAG.integer ? readSmallInteger(sequence, 'pathLenConstraint') : undefined;
  sequence.finish('basicConstraints');
  // RFC 5280 4.2.1.9: "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is asserted".
  if (!ca && pathLength !== undefined) throw new X509Error(offset, 'pathLenConstraint without cA');
  return Object.freeze({ ca, pathLength });
}
