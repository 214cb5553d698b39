import { equal } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { RevocationList } from '../x509/crl.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { OID } from '../x509/oids.ts';
import { signatureHolds } from '../x509/verify-signature.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * RFC 5280 6.3.3 (c) to (g): whether the list is one by which `issuer` speaks about its certificates at all. Whether
 * it is fresh is asked apart. The answer for a list and a key is remembered: its signature covers megabytes.
 */
export function checkRevocationList(list: RevocationList, issuer: Certificate): StepResult {
  const answers = ANSWERS.get(list) ?? new Map<string, StepResult>();
  ANSWERS.set(list, answers);
  const key = Buffer.from(issuer.der).toString('latin1');
  if (!answers.has(key)) answers.set(key, judge(list, issuer));
  return answers.get(key);
}

const ANSWERS = new WeakMap<RevocationList, Map<string, StepResult>>();

function judge(list: RevocationList, issuer: Certificate): StepResult {
  const wrong = unfit(list, issuer) ?? unsigned(list, issuer);
  return wrong === undefined
    ? undefined
    : refuse(IDENTITY_REASONS['revocation-list-unusable'], issuer, `its revocation list ${wrong}`);
}

function unfit({ extensions }: RevocationList, issuer: Certificate): string | undefined {
  const scope = extensions.issuingDistributionPoint;
  if (extensions.delta) return 'is a delta, and only whole lists are read (RFC 5280 5.2.4)';
  if (scope?.indirect)
    return 'is an indirect one, and only lists of the issuer itself are read (RFC 5280 5.2.5)';
  if (extensions.unknownCritical.length > 0) {
    return `has critical extension ${extensions.unknownCritical.join(', ')} (RFC 5280 5.2)`;
  }
  // RFC 5280 5.2.1 and 5.2.3: "Conforming CRL issuers are REQUIRED to include this extension".
  if (extensions.number === undefined) return 'has no CRL number (RFC 5280 5.2.3)';
  if (extensions.authorityKeyIdentifier?.keyIdentifier === undefined) {
    return 'has no authorityKeyIdentifier (RFC 5280 5.2.1)';
  }
  for (const [oid, name] of NEVER_CRITICAL) {
    if (extensions.critical.has(oid)) return `has a critical ${name} (RFC 5280 5.2)`;
  }
  if (scope !== undefined && !extensions.critical.has(OID.issuingDistributionPoint)) {
    return 'has an issuingDistributionPoint that is not critical (RFC 5280 5.2.5)';
  }
  const own = issuer.extensions.subjectKeyIdentifier;
  if (own !== undefined && !equal(own, extensions.authorityKeyIdentifier.keyIdentifier)) {
    return 'is signed with another key (RFC 5280 5.2.1)';
  }
  // RFC 5280 4.2.1.3 and 6.3.3 (f): "If a key usage extension is present ... verify that the cRLSign bit is set."
  const usage = issuer.extensions.keyUsage;
  if (usage !== undefined && !usage.has('cRLSign'))
    return 'is signed by a CA without cRLSign (RFC 5280 6.3.3)';
  return undefined;
}

const NEVER_CRITICAL = [
  [OID.authorityKeyIdentifier, 'authorityKeyIdentifier'],
  [OID.cRLNumber, 'CRL number'],
] as const;

function unsigned(list: RevocationList, issuer: Certificate): string | undefined {
  const { signatureAlgorithm: algorithm } = list;
  if (!algorithm.usable) return `is signed with ${algorithm.text}`;
  if (signatureHolds(algorithm.name, issuer.publicKey, list.tbs, list.signature)) return undefined;
  return 'has a signature that does not hold (RFC 5280 6.3.3)';
}

/** RFC 5280 6.3.3 (b) (2): whether a list that is good speaks about this certificate. */
export function covers(list: RevocationList, certificate: Certificate): boolean {
  const scope = list.extensions.issuingDistributionPoint;
  if (scope === undefined) return true;
  const ca = certificate.extensions.basicConstraints?.ca === true;
  if (scope.attributeCertificatesOnly || (ca ? scope.userCertificatesOnly : scope.caCertificatesOnly))
    return false;
  if (scope.fullName.length === 0) return true;
  const points = certificate.extensions.cRLDistributionPoints ?? [];
  return points.some((point) =>
    point.fullName.some((name) => scope.fullName.some((other) => sameUri(name, other))),
  );
}

function sameUri(a: GeneralName, b: GeneralName): boolean {
  return a.type === 'uri' && b.type === 'uri' && a.text === b.text;
}
