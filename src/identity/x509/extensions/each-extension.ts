import { readOid } from '../der/oid.ts';
import type { DerReader } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { readBooleanDefaultFalse } from '../der/values.ts';
import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';

/** Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, each OID once, outside certificates (RFC 5280 5.2, RFC 6960 4.4). */
export function eachExtension(
  field: DerReader,
  read: (oid: string, critical: boolean, value: DerReader) => void,
): void {
  const sequence = field.sequence('extensions');
  const seen = new Set<string>();
  do {
    const start = sequence.offset;
    if (seen.size === LIMITS.extensions)
      throw new X509Error(start, `more than ${LIMITS.extensions} extensions`);
    const extension = sequence.sequence('extension');
    const oid = readOid(extension, 'extension OID');
    if (seen.has(oid)) throw new X509Error(start, `extension ${oid} is there twice`);
    seen.add(oid);
    const critical = readBooleanDefaultFalse(extension, `critical flag of extension ${oid}`);
    const value = extension.inside(extension.expect(TAG.octetString, `value of extension ${oid}`));
    extension.finish(`extension ${oid}`);
    read(oid, critical, value);
  } while (!sequence.atEnd);
}
