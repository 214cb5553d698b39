import type { DerReader } from '../der/reader.ts';
import { type GeneralName, readGeneralNames } from '../general-name.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.6: at least one name, each with its type. */
export function readSubjectAltName(value: DerReader): readonly GeneralName[] {
  const start = value.offset;
  const names = readGeneralNames(value.sequence('subjectAltName'), 'subjectAltName');
  for (const name of names) {
    if (name.type === 'ip' && name.octets.length !== 4 && name.octets.length !== 16) {
      throw new X509Error(start, `subjectAltName has an iPAddress of ${name.octets.length} octets`);
    }
  }
  return names;
}
