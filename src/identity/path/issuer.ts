import { equal } from '#runtime';
import type { Certificate } from '../x509/certificate.ts';

/** RFC 5280 6.1.3 (a)(4): "The certificate issuer name is the working_issuer_name." */
export function namesIssuer(certificate: Certificate, issuer: Certificate): boolean {
  return equal(certificate.issuer.der, issuer.subject.der);
}

/**
 * Whether the key identifiers speak against `issuer` (RFC 5280 4.2.1.1, 4.2.1.2). Two authorities may carry the same
 * name; identifiers that differ tell them apart before a signature has to be tried.
 */
export function keyIdentifierDiffers(certificate: Certificate, issuer: Certificate): boolean {
  const wanted = certificate.extensions.authorityKeyIdentifier?.keyIdentifier;
  const own = issuer.extensions.subjectKeyIdentifier;
  return wanted !== undefined && own !== undefined && !equal(wanted, own);
}

/** RFC 5280 3.2: "A certificate is self-issued if the same DN appears in the subject and issuer fields". */
export function isSelfIssued(certificate: Certificate): boolean {
  return equal(certificate.issuer.der, certificate.subject.der);
}

/**
 * RFC 5280 3.2 and 4.2.1.1: self-issued, and with no other key identifier than its own, which only a self-signed
 * certificate may leave out. Such a certificate can only be a root, so it leads nowhere but to itself.
 */
export function isSelfSigned(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && !keyIdentifierDiffers(certificate, certificate);
}
