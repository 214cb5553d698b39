import { equal, type Result } from '#runtime';
import { DerReader } from './der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from './der/tag.ts';
import { readTime } from './der/time.ts';
import { readOctetBits, readSmallInteger } from './der/values.ts';
import { type Extensions, readExtensions, NO_EXTENSIONS } from './extensions/extensions.ts';
import { LIMITS } from './limits.ts';
import { type Name, readName } from './name.ts';
import { OID } from './oids.ts';
import { reading, X509Error, type X509Problem } from './problem.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import { readSerialNumber } from './serial-number.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts';

/** A certificate that was read, wholly; nothing in it is believed yet. Frozen, with its own copy of the bytes. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The part that is signed. */
  readonly tbs: Uint8Array;
  /** Lower-case hexadecimal, whole octets. */
  readonly serial: string;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since the Unix epoch; both ends belong to the validity (RFC 5280 4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: PublicKey;
  readonly extensions: Extensions;
}

/** Certificate (RFC 5280 4.1), strictly: DER only, version 3 only, nothing after it. Never throws on input. */
export function parseCertificate(bytes: Uint8Array): Result<Certificate, X509Problem> {
  return reading(() => {
    if (bytes.length > LIMITS.certificateBytes) {
      throw new X509Error(
        0,
        `the certificate has ${bytes.length} bytes; at most ${LIMITS.certificateBytes} are read`,
      );
    }
    return readCertificate(new DerReader(bytes.slice()));
  });
}

function readCertificate(reader: DerReader): Certificate {
  const certificate = reader.sequence('certificate');
  reader.finish('certificate');
  const tbsElement = certificate.expect(TAG.sequence, 'tbsCertificate');
  const tbs = readTbs(certificate.inside(tbsElement));
  const algorithmOffset = certificate.offset;
  const outer = readSignatureAlgorithm(certificate, 'signatureAlgorithm');
  // RFC 5280 4.1.1.2: "This field MUST contain the same algorithm identifier as the signature field in the sequence".
  if (!equal(outer.encoded, tbs.algorithmEncoded)) {
    throw new X509Error(algorithmOffset, 'signatureAlgorithm differs from the one inside the certificate');
  }
  const signature = readOctetBits(certificate, 'signatureValue');
  certificate.finish('certificate');
  const { algorithmEncoded: _, ...fields } = tbs;
  return Object.freeze({
    der: reader.bytes,
    tbs: certificate.whole(tbsElement),
    signatureAlgorithm: outer.algorithm,
    signature,
    ...fields,
  });
}

type TbsFields = Omit<Certificate, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> & {
  readonly algorithmEncoded: Uint8Array;
};

/** TBSCertificate, in the order of RFC 5280 4.1. */
function readTbs(tbs: DerReader): TbsFields {
  readVersion(tbs);
  const serial = readSerialNumber(tbs);
  const { encoded: algorithmEncoded } = readSignatureAlgorithm(tbs, 'signature');
  const issuerOffset = tbs.offset;
  const issuer = readName(tbs, 'issuer');
  // RFC 5280 4.1.2.4: "The issuer field MUST contain a non-empty distinguished name (DN)."
  if (issuer.empty) throw new X509Error(issuerOffset, 'issuer is empty');
  const validity = tbs.sequence('validity');
  const notBefore = readTime(validity, 'notBefore');
  const notAfter = readTime(validity, 'notAfter');
  validity.finish('validity');
  const subjectOffset = tbs.offset;
  const subject = readName(tbs, 'subject');
  const publicKey = readPublicKey(tbs);
  refuseUniqueIdentifiers(tbs);
  const extensions = readExtensionsField(tbs);
  tbs.finish('tbsCertificate');
  checkEmptySubject(subject, extensions, subjectOffset);
  return { serial, algorithmEncoded, issuer, notBefore, notAfter, subject, publicKey, extensions };
}

/** Version 3 is the number 2, and as it isn't the default it is always there. */
function readVersion(tbs: DerReader): void {
  const start = tbs.offset;
  const field = tbs.optional(contextConstructed(0), 'version');
  if (field === undefined)
    throw new X509Error(start, 'the certificate has version 1; only version 3 is read');
  const inner = tbs.inside(field);
  const version = readSmallInteger(inner, 'version');
  inner.finish('version');
  if (version !== 2)
    throw new X509Error(start, `the certificate has version ${version + 1}; only version 3 is read`);
}

/** RFC 5280 4.1.2.8: "CAs conforming to this profile MUST NOT generate certificates with unique identifiers." */
function refuseUniqueIdentifiers(tbs: DerReader): void {
  if (tbs.next === contextPrimitive(1) || tbs.next === contextPrimitive(2)) {
    throw new X509Error(tbs.offset, 'the certificate has a unique identifier');
  }
}

function readExtensionsField(tbs: DerReader): Extensions {
  const field = tbs.optional(contextConstructed(3), 'extensions');
  if (field === undefined) return NO_EXTENSIONS;
  const inner = tbs.inside(field);
  const extensions = readExtensions(inner);
  inner.finish('extensions');
  return extensions;
}

/** RFC 5280 4.2.1.6: with an empty subject "the issuing CA MUST include a subjectAltName extension ... as critical". */
function checkEmptySubject(subject: Name, extensions: Extensions, offset: number): void {
  if (!subject.empty) return;
  if (extensions.basicConstraints?.ca) throw new X509Error(offset, 'a CA certificate has an empty subject');
  if (!extensions.critical.has(OID.subjectAltName)) {
    throw new X509Error(offset, 'the subject is empty and there is no critical subjectAltName in its place');
  }
}

/** One line for logs and errors: who, which, how long. */
export function describeCertificate(certificate: Certificate): string {
  const uris = (certificate.extensions.subjectAltName ?? []).flatMap((name) =>
    name.type === 'uri' ? [name.text] : [],
  );
  const who = uris.length > 0 ? uris.slice(0, 2).join(' and ') : certificate.subject.text;
  const from = new Date(certificate.notBefore).toISOString();
  const to = new Date(certificate.notAfter).toISOString();
  return `${who.slice(0, 300)}, serial ${certificate.serial}, valid ${from} to ${to}`;
}
