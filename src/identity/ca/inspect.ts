import { isDeepStrictEqual } from 'node:util';
import type { Refusal } from '#handshake';
import { equal, err, ok, type Result } from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import { checkSignature } from '../path/signature.ts';
import { verifySvid } from '../path/verify-svid.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import { type Certificate, describeCertificate, parseCertificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { problemText } from '../x509/problem.ts';
import type { AuthorityTemplate, CertificateTemplate, LeafTemplate } from './template.ts';

/**
 * Reads an authority's certificate that was just made with our own reader, and compares it with what was asked for: a fault
 * in the library that wrote it must not become a certificate that somebody holds. `issuer` is undefined for a root.
 */
export function inspectAuthority(
  der: Uint8Array,
  template: AuthorityTemplate,
  issuer: Certificate | undefined,
): Result<Certificate, Refusal> {
  const parsed = parseCertificate(der);
  if (!parsed.ok) return refuse(problemText(parsed.error));
  const certificate = parsed.value;
  const different = differences(certificate, template);
  if (different !== undefined) return refuse(different);
  const signature = checkSignature(certificate, issuer ?? certificate);
  return signature === undefined ? ok(certificate) : refuse(signature.detail);
}

/**
 * Judges a new leaf as peers will, and compares what they will read with what was asked for. `chain` is the leaf and the
 * `issuer` that signed it. One role is enough: the roles differ in the extended key usage alone, of which the comparison
 * finds both, and nothing else.
 */
export function inspectLeaf(
  chain: readonly Uint8Array[],
  template: LeafTemplate,
  issuer: Certificate,
  bundle: TrustBundle,
  now: number,
): Result<Certificate, Refusal> {
  const svid = verifySvid({ role: 'server', chain }, bundle, now);
  if (!svid.ok) return refuse(`it is refused with ${svid.error.reason.code}: ${svid.error.detail}`);
  const { leaf, path, spiffeId } = svid.value;
  const different = differences(leaf, template);
  if (different !== undefined) return refuse(different);
  if (spiffeId.toString() !== template.identity.toString()) {
    return refuse(`it names ${spiffeId.toString()}, not ${template.identity.toString()}`);
  }
  const [, above] = path;
  if (above === undefined || !equal(above.der, issuer.der)) {
    return refuse(`${describeCertificate(leaf)}: another authority than ${issuer.serial} issued it`);
  }
  return ok(leaf);
}

function differences(certificate: Certificate, template: CertificateTemplate): string | undefined {
  const different = [...commonDifferences(certificate, template), ...kindDifferences(certificate, template)];
  if (different.length === 0) return undefined;
  return `${describeCertificate(certificate)}: not as asked for: ${different.join(', ')}`;
}

function commonDifferences(certificate: Certificate, template: CertificateTemplate): string[] {
  const spki =
    template.kind === 'leaf' ? template.spki : template.publicKey.export({ type: 'spki', format: 'der' });
  return named({
    serial: certificate.serial === template.serial,
    notBefore: certificate.notBefore === template.notBefore,
    notAfter: certificate.notAfter === template.notAfter,
    'public key': equal(certificate.publicKey.spki, spki),
    'unknown extensions': certificate.extensions.unknownCritical.length === 0,
  });
}

function kindDifferences(certificate: Certificate, template: CertificateTemplate): string[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectAltName, nameConstraints, podIdentity } =
    certificate.extensions;
  const usages = [...(keyUsage ?? [])].join(' ');
  const names = (subjectAltName ?? [])
    .map((name) => (name.type === 'uri' || name.type === 'dns' ? name.text : name.type))
    .join(' ');
  if (template.kind === 'leaf') {
    return named({
      basicConstraints: basicConstraints === undefined,
      keyUsage: usages === 'digitalSignature',
      extendedKeyUsage: [...(extendedKeyUsage ?? [])].join(' ') === `${OID.serverAuth} ${OID.clientAuth}`,
      subjectAltName: names === [template.identity.toString(), ...template.dnsNames].join(' '),
      nameConstraints: nameConstraints === undefined,
      podIdentity: isDeepStrictEqual(podIdentity, template.pod),
      subject: certificate.subject.empty,
    });
  }
  const permitted = nameConstraints?.permitted
    .map((name) => (name.type === 'uri' ? name.text : name.type))
    .join(' ');
  return named({
    basicConstraints: basicConstraints?.ca === true && basicConstraints.pathLength === template.pathLength,
    keyUsage: usages === 'keyCertSign cRLSign',
    extendedKeyUsage: extendedKeyUsage === undefined,
    subjectAltName: subjectAltName === undefined,
    nameConstraints:
      permitted === template.permittedUriHost && (nameConstraints?.excluded ?? []).length === 0,
    subject: !certificate.subject.empty,
  });
}

function named(checks: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(checks).filter((name) => checks[name] !== true);
}

function refuse(detail: string): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS['issued-certificate-refused'], detail });
}
