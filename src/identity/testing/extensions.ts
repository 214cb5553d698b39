import { EMPTY, fromAscii } from '#runtime';
import { contextConstructed, contextPrimitive, TAG } from '../x509/der/tag.ts';
import { encode, encodeOidValue, encodeSequence, encodeUnsigned } from '../x509/der/writer.ts';
import { KEY_USAGES, type KeyUsageName } from '../x509/extensions/key-usage.ts';
import { OID } from '../x509/oids.ts';

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue } around any value. */
export function encodeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? encode(TAG.boolean, Uint8Array.of(0xff)) : EMPTY;
  return encodeSequence(encodeOidValue(oid), flag, encode(TAG.octetString, value));
}

export function encodeBasicConstraints(ca: boolean, pathLength?: number): Uint8Array {
  const flag = ca ? encode(TAG.boolean, Uint8Array.of(0xff)) : EMPTY;
  const length = pathLength === undefined ? EMPTY : encodeUnsigned(Uint8Array.of(pathLength));
  return encodeExtension(OID.basicConstraints, true, encodeSequence(flag, length));
}

export function encodeKeyUsage(usages: readonly KeyUsageName[]): Uint8Array {
  const bits = usages.map((usage) => KEY_USAGES.indexOf(usage));
  const highest = Math.max(...bits);
  const octets = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  const unused = 7 - (highest & 7);
  return encodeExtension(OID.keyUsage, true, encode(TAG.bitString, Uint8Array.of(unused), octets));
}

export function encodeExtendedKeyUsage(purposes: readonly string[], critical = false): Uint8Array {
  return encodeExtension(OID.extendedKeyUsage, critical, encodeSequence(...purposes.map(encodeOidValue)));
}

export type TestName =
  | { readonly uri: string }
  | { readonly dns: string }
  | { readonly email: string }
  | { readonly ip: Uint8Array }
  | { readonly other: string };

function encodeGeneralName(name: TestName): Uint8Array {
  if ('uri' in name) return encode(contextPrimitive(6), fromAscii(name.uri));
  if ('dns' in name) return encode(contextPrimitive(2), fromAscii(name.dns));
  if ('email' in name) return encode(contextPrimitive(1), fromAscii(name.email));
  if ('ip' in name) return encode(contextPrimitive(7), name.ip);
  const value = encode(contextConstructed(0), encode(TAG.utf8String, fromAscii(name.other)));
  return encode(contextConstructed(0), encodeOidValue('1.3.6.1.4.1.311.20.2.3'), value);
}

export function encodeSubjectAltName(names: readonly TestName[], critical = false): Uint8Array {
  return encodeExtension(OID.subjectAltName, critical, encodeSequence(...names.map(encodeGeneralName)));
}

export function encodeNameConstraints(
  permitted: readonly TestName[],
  excluded: readonly TestName[] = [],
): Uint8Array {
  const subtrees = (number: number, names: readonly TestName[]): Uint8Array =>
    names.length === 0
      ? EMPTY
      : encode(contextConstructed(number), ...names.map((name) => encodeSequence(encodeGeneralName(name))));
  return encodeExtension(
    OID.nameConstraints,
    true,
    encodeSequence(subtrees(0, permitted), subtrees(1, excluded)),
  );
}

export function encodeSubjectKeyIdentifier(id: Uint8Array): Uint8Array {
  return encodeExtension(OID.subjectKeyIdentifier, false, encode(TAG.octetString, id));
}

export function encodeAuthorityKeyIdentifier(id: Uint8Array): Uint8Array {
  return encodeExtension(OID.authorityKeyIdentifier, false, encodeSequence(encode(contextPrimitive(0), id)));
}
