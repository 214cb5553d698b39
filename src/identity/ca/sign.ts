import type { KeyObject, webcrypto } from 'node:crypto';
import type { Certificate } from '../x509/certificate.ts';
import { encodePermittedUriHost } from '../x509/extensions/name-constraints.ts';
import { OID } from '../x509/oids.ts';
import type { AuthorityTemplate } from './template.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './x509-library.ts';

/** Whoever signs; `certificate` is undefined for a root that signs itself. */
export interface SigningAuthority {
  readonly certificate: Certificate | undefined;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A root or an intermediate as a signed certificate, DER. What comes out is checked by inspect.ts before anyone gets it. */
export async function signCertificate(
  template: AuthorityTemplate,
  by: SigningAuthority,
): Promise<Uint8Array> {
  const publicKey = toCryptoKey(template.publicKey);
  const subject = authorityName(template);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: template.serial,
    subject,
    // The issuer's own bytes, as names are compared byte by byte.
    issuer:
      by.certificate === undefined ? subject : new X509Certificate(toBuffer(by.certificate.der)).subjectName,
    notBefore: new Date(template.notBefore),
    notAfter: new Date(template.notAfter),
    publicKey,
    signingKey: toCryptoKey(by.privateKey),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      ...authorityExtensions(template),
      await SubjectKeyIdentifierExtension.create(publicKey, false),
      ...(template.kind === 'root'
        ? []
        : [await AuthorityKeyIdentifierExtension.create(toCryptoKey(by.publicKey), false)]),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** UTF8String: a trust domain may have "_", which a PrintableString may not. */
function authorityName(template: AuthorityTemplate): Name {
  return new Name([
    { O: [{ utf8String: template.organization }] },
    { CN: [{ utf8String: template.commonName }] },
  ]);
}

function authorityExtensions(template: AuthorityTemplate): Extension[] {
  const { pathLength, permittedUriHost } = template;
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    // RFC 5280 4.2.1.10: "Conforming CAs MUST mark this extension as critical".
    ...(permittedUriHost === undefined
      ? []
      : [new Extension(OID.nameConstraints, true, toBuffer(encodePermittedUriHost(permittedUriHost)))]),
  ];
}

/** Signing keys cannot be taken out of WebCrypto again. */
function toCryptoKey(key: KeyObject): webcrypto.CryptoKey {
  const namedCurve = key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'P-384' : 'P-256';
  const isPrivate = key.type === 'private';
  return key.toCryptoKey({ name: 'ECDSA', namedCurve }, !isPrivate, isPrivate ? ['sign'] : ['verify']);
}

function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
