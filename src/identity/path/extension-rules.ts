import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import type { Profile } from './profile.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * What RFC 5280 4.2 says that a conforming CA must or must not do with an extension. A certificate that breaks one of
 * these rules comes from an issuer that does not follow the profile that path validation relies on.
 */
export function checkExtensionRules(certificate: Certificate, profile: Profile): StepResult {
  const { critical, present, keyUsage, basicConstraints } = certificate.extensions;
  const wrong = (what: string): StepResult =>
    refuse(IDENTITY_REASONS['extension-misused'], certificate, what);
  for (const [oid, name, section] of NEVER_CRITICAL) {
    if (critical.has(oid)) return wrong(`its ${name} is critical, which RFC 5280 ${section} forbids`);
  }
  for (const [oid, name, section] of ALWAYS_CRITICAL) {
    if (present.has(oid) && !critical.has(oid) && !profile.mayBeNotCritical.has(oid))
      return wrong(`its ${name} is not critical, which RFC 5280 ${section} demands`);
  }
  const ca = basicConstraints?.ca === true;
  // RFC 5280 4.2.1.9: CAs "MUST mark the extension as critical in such certificates".
  if (ca && !critical.has(OID.basicConstraints)) {
    return wrong('its basicConstraints are not critical, which RFC 5280 4.2.1.9 demands of a CA');
  }
  // RFC 5280 4.2.1.9: pathLenConstraint is meaningful only if keyUsage "asserts the keyCertSign bit".
  if (basicConstraints?.pathLength !== undefined && keyUsage !== undefined && !keyUsage.has('keyCertSign')) {
    return wrong('it has a pathLenConstraint without keyCertSign, which RFC 5280 4.2.1.9 forbids');
  }
  if (ca) return undefined;
  for (const [oid, name, section] of CA_ONLY) {
    if (present.has(oid)) return wrong(`it is no CA and has ${name}, which RFC 5280 ${section} forbids`);
  }
  // RFC 5280 4.2.1.9: "If the cA boolean is not asserted, then the keyCertSign bit ... MUST NOT be asserted."
  if (keyUsage?.has('keyCertSign'))
    return wrong('it is no CA and has keyCertSign, which RFC 5280 4.2.1.9 forbids');
  return undefined;
}

const NEVER_CRITICAL = [
  [OID.authorityKeyIdentifier, 'authorityKeyIdentifier', '4.2.1.1'],
  [OID.subjectKeyIdentifier, 'subjectKeyIdentifier', '4.2.1.2'],
  [OID.authorityInfoAccess, 'authorityInfoAccess', '4.2.2.1'],
  [OID.subjectInfoAccess, 'subjectInfoAccess', '4.2.2.2'],
] as const;

const ALWAYS_CRITICAL = [
  [OID.nameConstraints, 'nameConstraints', '4.2.1.10'],
  [OID.policyConstraints, 'policyConstraints', '4.2.1.11'],
  [OID.inhibitAnyPolicy, 'inhibitAnyPolicy', '4.2.1.14'],
] as const;

const CA_ONLY = [
  [OID.nameConstraints, 'nameConstraints', '4.2.1.10'],
  [OID.policyMappings, 'policyMappings', '4.2.1.5'],
  [OID.policyConstraints, 'policyConstraints', '4.2.1.11'],
  [OID.inhibitAnyPolicy, 'inhibitAnyPolicy', '4.2.1.14'],
] as const;
