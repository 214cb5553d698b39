import type { DerReader } from '../der/reader.ts';
import { contextConstructed, contextPrimitive } from '../der/tag.ts';
import { readInteger, readOctets } from '../der/values.ts';
import { readGeneralNames } from '../general-name.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.2. A view into the certificate. */
export function readSubjectKeyIdentifier(value: DerReader): Uint8Array {
  return readOctets(value, 'subjectKeyIdentifier');
}

/** RFC 5280 4.2.1.1. Issuer and serial number are checked for form; paths don't use them. */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly namesIssuer: boolean;
}

export function readAuthorityKeyIdentifier(value: DerReader): AuthorityKeyIdentifier {
  const start = value.offset;
  const sequence = value.sequence('authorityKeyIdentifier');
  const keyIdentifier =
    sequence.next === contextPrimitive(0)
      ? readOctets(sequence, 'keyIdentifier', contextPrimitive(0))
      : undefined;
  const issuer = sequence.optional(contextConstructed(1), 'authorityCertIssuer');
  if (issuer !== undefined) readGeneralNames(sequence.inside(issuer), 'authorityCertIssuer');
  const serial = sequence.next === contextPrimitive(2);
  if (serial) readInteger(sequence, 'authorityCertSerialNumber', contextPrimitive(2));
  sequence.finish('authorityKeyIdentifier');
  if (serial !== (issuer !== undefined)) {
    throw new X509Error(start, 'authorityKeyIdentifier has only one of issuer and serial number');
  }
  return Object.freeze({ keyIdentifier, namesIssuer: serial });
}
