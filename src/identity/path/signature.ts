import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { signatureHolds } from '../x509/verify-signature.ts';
import { refuse, type StepResult } from './refuse.ts';

/** RFC 5280 6.1.3 (a)(1): "The signature on the certificate can be verified using working_public_key_algorithm". */
export function checkSignature(certificate: Certificate, issuer: Certificate): StepResult {
  const algorithm = certificate.signatureAlgorithm;
  if (!algorithm.usable) {
    // RFC 8446 4.4.2.4: a certificate signed with MD5 or SHA-1 is refused with bad_certificate.
    const reason = algorithm.weak ? 'weak-signature-algorithm' : 'unsupported-signature-algorithm';
    return refuse(IDENTITY_REASONS[reason], certificate, `it is signed with ${algorithm.text}`);
  }
  if (signatureHolds(algorithm.name, issuer.publicKey, certificate.tbs, certificate.signature))
    return undefined;
  return refuse(
    IDENTITY_REASONS['certificate-signature-invalid'],
    certificate,
    `its ${algorithm.name} signature does not hold under the ${issuer.publicKey.type} key of ` +
      `${issuer.subject.text}, serial ${issuer.serial}`,
  );
}
