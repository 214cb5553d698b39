import { createHash, type KeyObject, sign } from 'node:crypto';
import { concat, fromAscii, fromHex } from '#runtime';
import type { Certificate } from '../x509/certificate.ts';
import { contextConstructed, contextPrimitive, TAG } from '../x509/der/tag.ts';
import {
  encode,
  encodeOctetBits,
  encodeOidValue,
  encodeSequence,
  encodeTime,
  encodeUnsigned,
} from '../x509/der/writer.ts';
import { encodePodIdentity } from '../x509/extensions/pod-identity.ts';
import { OID } from '../x509/oids.ts';
import { SIGNATURE_ALGORITHMS } from '../x509/signature-algorithm.ts';
import type { LeafTemplate } from './template.ts';

/**
 * The leaf as a signed certificate, DER (RFC 5280 4.1), by a P-256 issuer. Written here and not by the library that
 * writes authorities, because a controller signs hundreds in a second and the library takes ten times as long. What comes
 * out is checked by inspect.ts before anyone gets it.
 */
export function signLeaf(
  template: LeafTemplate,
  by: { readonly certificate: Certificate; readonly privateKey: KeyObject },
): Uint8Array {
  const { spki } = template;
  const tbs = encodeSequence(
    encode(contextConstructed(0), encodeUnsigned(VERSION_3)),
    encodeUnsigned(fromHex(template.serial)),
    ALGORITHM,
    // The issuer's own bytes, as names are compared byte by byte.
    by.certificate.subject.der,
    encodeSequence(encodeTime(template.notBefore), encodeTime(template.notAfter)),
    encodeSequence(),
    spki,
    encode(contextConstructed(3), encodeSequence(...extensions(template, spki, by.certificate))),
  );
  return encodeSequence(tbs, ALGORITHM, encodeOctetBits(sign('sha256', tbs, by.privateKey)));
}

const VERSION_3 = Uint8Array.of(2);
const ALGORITHM = fromHex(SIGNATURE_ALGORITHMS['ecdsa-with-SHA256'].identifier);
/** BIT STRING of named bits: digitalSignature is bit 0, and seven bits of its octet are unused. */
const DIGITAL_SIGNATURE = encode(TAG.bitString, Uint8Array.of(7, 0x80));
const TRUE = encode(TAG.boolean, Uint8Array.of(0xff));
const NOT = new Uint8Array(0);

function extensions(template: LeafTemplate, spki: Uint8Array, issuer: Certificate): Uint8Array[] {
  const { subjectKeyIdentifier } = issuer.extensions;
  return [
    ...USAGES,
    // Critical, as the subject is empty (RFC 5280 4.2.1.6).
    extension(
      OID.subjectAltName,
      TRUE,
      encodeSequence(
        encode(contextPrimitive(6), fromAscii(template.identity.toString())),
        ...template.dnsNames.map((name) => encode(contextPrimitive(2), fromAscii(name))),
      ),
    ),
    ...(template.pod === undefined ? [] : [extension(OID.podIdentity, NOT, encodePodIdentity(template.pod))]),
    extension(OID.subjectKeyIdentifier, NOT, encode(TAG.octetString, keyIdentifier(spki))),
    ...(subjectKeyIdentifier === undefined
      ? []
      : [
          extension(
            OID.authorityKeyIdentifier,
            NOT,
            encodeSequence(encode(contextPrimitive(0), subjectKeyIdentifier)),
          ),
        ]),
  ];
}

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue } */
function extension(oid: string, critical: Uint8Array, value: Uint8Array): Uint8Array {
  return encodeSequence(concat(encodeOidValue(oid), critical, encode(TAG.octetString, value)));
}

/** The same in every leaf. */
const USAGES = [
  extension(OID.keyUsage, TRUE, DIGITAL_SIGNATURE),
  extension(
    OID.extendedKeyUsage,
    NOT,
    encodeSequence(encodeOidValue(OID.serverAuth), encodeOidValue(OID.clientAuth)),
  ),
];

/** RFC 5280 4.2.1.2 leaves the method open: SHA-256 over the SubjectPublicKeyInfo, cut to 20 octets. */
function keyIdentifier(spki: Uint8Array): Uint8Array {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}
