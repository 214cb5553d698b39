import { readOid } from '../der/oid.ts';
import type { DerReader } from '../der/reader.ts';
import { type GeneralName, readGeneralName } from '../general-name.ts';
import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.2: where something about a certificate's issuer or subject is found. */
export interface AccessDescription {
  readonly method: string;
  readonly location: GeneralName;
}

/** AuthorityInfoAccessSyntax and SubjectInfoAccessSyntax: SEQUENCE SIZE (1..MAX) OF AccessDescription. */
export function readAccess(value: DerReader, what: string): readonly AccessDescription[] {
  const sequence = value.sequence(what);
  const found: AccessDescription[] = [];
  do {
    if (found.length === LIMITS.locations) {
      throw new X509Error(sequence.offset, `${what} has more than ${LIMITS.locations} places`);
    }
    const description = sequence.sequence(`accessDescription of ${what}`);
    const method = readOid(description, `accessMethod of ${what}`);
    const location = readGeneralName(description, what);
    description.finish(`accessDescription of ${what}`);
    found.push({ method, location });
  } while (!sequence.atEnd);
  return Object.freeze(found);
}
