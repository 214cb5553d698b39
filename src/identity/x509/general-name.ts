import { readOid } from './der/oid.ts';
import type { DerReader } from './der/reader.ts';
import { contextConstructed, contextPrimitive, tagText } from './der/tag.ts';
import { ia5Text } from './der/values.ts';
import { LIMITS } from './limits.ts';
import { type Name, readName } from './name.ts';
import { X509Error } from './problem.ts';

/**
 * GeneralName (RFC 5280 4.2.1.6), always with its type: taking one type's text for another's has let peers in
 * elsewhere (CVE-2022-21656, CVE-2021-44531).
 */
export type GeneralName =
  | { readonly type: 'uri' | 'dns' | 'email'; readonly text: string }
  | { readonly type: 'ip'; readonly octets: Uint8Array }
  | { readonly type: 'directory'; readonly name: Name }
  | { readonly type: 'registered-id'; readonly oid: string }
  /** Kinds whose contents nothing here understands; what matters is that they are there. */
  | { readonly type: 'other' | 'x400' | 'edi-party' };

/** SEQUENCE SIZE (1..MAX) OF GeneralName: the contents of `names`, all of them. */
export function readGeneralNames(names: DerReader, what: string): readonly GeneralName[] {
  const found: GeneralName[] = [];
  do {
    if (found.length === LIMITS.generalNames) {
      throw new X509Error(names.offset, `${what} has more than ${LIMITS.generalNames} names`);
    }
    found.push(readGeneralName(names, what));
  } while (!names.atEnd);
  return Object.freeze(found);
}

/** One name. In nameConstraints an `ip` is an address and a mask, so its length is left to the caller. */
export function readGeneralName(reader: DerReader, what: string): GeneralName {
  const start = reader.offset;
  const element = reader.any(`name in ${what}`);
  switch (element.tag) {
    case contextConstructed(0): {
      const other = reader.inside(element);
      readOid(other, `type of the otherName in ${what}`);
      other.expect(contextConstructed(0), `value of the otherName in ${what}`);
      other.finish(`otherName in ${what}`);
      return { type: 'other' };
    }
    case contextPrimitive(1):
      return { type: 'email', text: ia5Text(reader, element, `rfc822Name in ${what}`) };
    case contextPrimitive(2):
      return { type: 'dns', text: ia5Text(reader, element, `dNSName in ${what}`) };
    case contextConstructed(3):
      return { type: 'x400' };
    case contextConstructed(4): {
      const directory = reader.inside(element);
      const name = readName(directory, `directoryName in ${what}`);
      directory.finish(`directoryName in ${what}`);
      return { type: 'directory', name };
    }
    case contextConstructed(5):
      return { type: 'edi-party' };
    case contextPrimitive(6):
      return { type: 'uri', text: ia5Text(reader, element, `uniformResourceIdentifier in ${what}`) };
    case contextPrimitive(7):
      return { type: 'ip', octets: reader.contents(element).slice() };
    case contextPrimitive(8):
      return { type: 'registered-id', oid: readOidContents(reader, start, what) };
    default:
      throw new X509Error(start, `${what} has a name of unknown kind: ${tagText(element.tag)}`);
  }
}

/** registeredID is an IMPLICIT OBJECT IDENTIFIER: read it again from its start under its own tag. */
function readOidContents(reader: DerReader, start: number, what: string): string {
  return readOid(reader.again(start), `registeredID in ${what}`, contextPrimitive(8));
}
