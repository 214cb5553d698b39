import { readOid } from '../der/oid.ts';
import type { DerReader } from '../der/reader.ts';
import { contextPrimitive, TAG } from '../der/tag.ts';
import { readSmallInteger } from '../der/values.ts';
import { LIMITS } from '../limits.ts';
import { OID } from '../oids.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.4, without the qualifiers, which are texts for people. */
export type CertificatePolicies = ReadonlySet<string>;

/** RFC 5280 4.2.1.5: an issuer's policies with those of the subject that it takes for the same. */
export type PolicyMappings = readonly { readonly issuer: string; readonly subject: string }[];

/** RFC 5280 4.2.1.11: after how many more certificates the rule begins to hold; undefined: never because of this. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

export function readCertificatePolicies(value: DerReader): CertificatePolicies {
  const sequence = value.sequence('certificatePolicies');
  const policies = new Set<string>();
  do {
    const start = sequence.offset;
    if (policies.size === LIMITS.policies) {
      throw new X509Error(start, `certificatePolicies has more than ${LIMITS.policies} policies`);
    }
    const information = sequence.sequence('policyInformation');
    const policy = readOid(information, 'policyIdentifier');
    // RFC 5280 4.2.1.4: "A certificate policy OID MUST NOT appear more than once in a certificate policies extension."
    if (policies.has(policy)) throw new X509Error(start, `policy ${policy} is there twice`);
    policies.add(policy);
    if (!information.atEnd) readQualifiers(information.sequence('policyQualifiers'));
    information.finish('policyInformation');
  } while (!sequence.atEnd);
  return policies;
}

export function readPolicyMappings(value: DerReader): PolicyMappings {
  const sequence = value.sequence('policyMappings');
  const mappings: { issuer: string; subject: string }[] = [];
  do {
    const start = sequence.offset;
    if (mappings.length === LIMITS.policies) {
      throw new X509Error(start, `policyMappings has more than ${LIMITS.policies} mappings`);
    }
    const mapping = sequence.sequence('policy mapping');
    const issuer = readOid(mapping, 'issuerDomainPolicy');
    const subject = readOid(mapping, 'subjectDomainPolicy');
    mapping.finish('policy mapping');
    // RFC 5280 4.2.1.5: "Policies MUST NOT be mapped either to or from the special value anyPolicy".
    if (issuer === OID.anyPolicy || subject === OID.anyPolicy) {
      throw new X509Error(start, 'policyMappings maps anyPolicy');
    }
    mappings.push({ issuer, subject });
  } while (!sequence.atEnd);
  return Object.freeze(mappings);
}

export function readPolicyConstraints(value: DerReader): PolicyConstraints {
  const start = value.offset;
  const sequence = value.sequence('policyConstraints');
  const read = (number: number, what: string): number | undefined =>
    sequence.next === contextPrimitive(number)
      ? readSmallInteger(sequence, what, contextPrimitive(number))
      : undefined;
  const requireExplicitPolicy = read(0, 'requireExplicitPolicy');
  const inhibitPolicyMapping = read(1, 'inhibitPolicyMapping');
  sequence.finish('policyConstraints');
  // RFC 5280 4.2.1.11: "Conforming CAs MUST NOT issue certificates where policy constraints is an empty sequence."
  if (requireExplicitPolicy === undefined && inhibitPolicyMapping === undefined) {
    throw new X509Error(start, 'policyConstraints is empty');
  }
  return Object.freeze({ requireExplicitPolicy, inhibitPolicyMapping });
}

/** RFC 5280 4.2.1.14. */
export function readInhibitAnyPolicy(value: DerReader): number {
  return readSmallInteger(value, 'inhibitAnyPolicy');
}

function readQualifiers(qualifiers: DerReader): void {
  do {
    const qualifier = qualifiers.inside(qualifiers.expect(TAG.sequence, 'policyQualifier'));
    readOid(qualifier, 'policyQualifierId');
    qualifier.any('policy qualifier');
    qualifier.finish('policyQualifier');
  } while (!qualifiers.atEnd);
}
