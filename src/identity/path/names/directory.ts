import { toHex } from '#runtime';
import { TAG } from '../../x509/der/tag.ts';
import type { Attribute, Name } from '../../x509/name.ts';

/**
 * Relative names in the form in which RFC 5280 7.1 compares them: kind of string, case and insignificant spaces do not
 * matter. Only name constraints compare so, for an exclusion must not be passed by writing a name in capitals; issuers
 * are found by their very bytes.
 */
export type DirectoryPath = readonly string[];

export function directoryPath(name: Name): DirectoryPath {
  return name.parts.map((attributes) => attributes.map(canonical).sort().join('+'));
}

/** Whether `name` is `base` or below it: `base` is where `name` begins. */
export function isWithinDirectory(name: DirectoryPath, base: DirectoryPath): boolean {
  return base.length <= name.length && base.every((part, index) => part === name[index]);
}

function canonical({ oid, tag, contents }: Attribute): string {
  const text = attributeString(tag, contents);
  if (text === undefined) return JSON.stringify([oid, tag, toHex(contents)]);
  const folded = text.normalize('NFKC').toLowerCase().normalize('NFKC').trim().replace(/\s+/g, ' ');
  return JSON.stringify([oid, folded]);
}

/** DirectoryString and IA5String as text (X.680 41); undefined for values of other types. */
export function attributeString(tag: number, contents: Uint8Array): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return Buffer.from(contents).toString('utf8');
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.teletexString:
      return Buffer.from(contents).toString('latin1');
    case TAG.bmpString:
      return contents.length % 2 === 0 ? Buffer.from(contents).swap16().toString('utf16le') : undefined;
    default:
      return undefined;
  }
}
