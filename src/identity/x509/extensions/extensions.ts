import { readOid } from '../der/oid.ts';
import type { DerReader } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { readBooleanDefaultFalse } from '../der/values.ts';
import { type GeneralName, readGeneralNames } from '../general-name.ts';
import { LIMITS } from '../limits.ts';
import { OID } from '../oids.ts';
import { X509Error } from '../problem.ts';
import { type AccessDescription, readAccess } from './access.ts';
import { type BasicConstraints, readBasicConstraints } from './basic-constraints.ts';
import {
  type CertificatePolicies,
  type PolicyConstraints,
  type PolicyMappings,
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from './certificate-policies.ts';
import { type DistributionPoint, readDistributionPoints } from './distribution-points.ts';
import { type ExtendedKeyUsage, readExtendedKeyUsage } from './extended-key-usage.ts';
import {
  type AuthorityKeyIdentifier,
  readAuthorityKeyIdentifier,
  readSubjectKeyIdentifier,
} from './key-identifiers.ts';
import { type KeyUsage, readKeyUsage } from './key-usage.ts';
import { type NameConstraints, readNameConstraints } from './name-constraints.ts';
import { type PodIdentity, readPodIdentity } from './pod-identity.ts';
import { readSubjectAltName } from './subject-alt-name.ts';
import { readTlsFeature, type TlsFeature } from './tls-feature.ts';

/** The extensions that are understood, each undefined when absent. */
export interface Extensions {
  readonly basicConstraints?: BasicConstraints;
  readonly keyUsage?: KeyUsage;
  readonly extendedKeyUsage?: ExtendedKeyUsage;
  readonly subjectAltName?: readonly GeneralName[];
  readonly subjectKeyIdentifier?: Uint8Array;
  readonly authorityKeyIdentifier?: AuthorityKeyIdentifier;
  readonly nameConstraints?: NameConstraints;
  readonly podIdentity?: PodIdentity;
  readonly certificatePolicies?: CertificatePolicies;
  readonly policyMappings?: PolicyMappings;
  readonly policyConstraints?: PolicyConstraints;
  readonly inhibitAnyPolicy?: number;
  readonly cRLDistributionPoints?: readonly DistributionPoint[];
  readonly authorityInfoAccess?: readonly AccessDescription[];
  readonly tlsFeature?: TlsFeature;
  /** RFC 6960 4.2.2.2.1: whoever trusts this responder need not ask whether its certificate is revoked. */
  readonly ocspNoCheck?: true;
  /** OIDs of all extensions, of those marked critical, and of critical ones that are not understood. */
  readonly present: ReadonlySet<string>;
  readonly critical: ReadonlySet<string>;
  readonly unknownCritical: readonly string[];
}

type Known = Omit<Extensions, 'present' | 'critical' | 'unknownCritical'>;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const READERS: Readonly<Record<string, (value: DerReader, into: Mutable<Known>) => void>> = {
  [OID.basicConstraints]: (value, into) => {
    into.basicConstraints = readBasicConstraints(value);
  },
  [OID.keyUsage]: (value, into) => {
    into.keyUsage = readKeyUsage(value);
  },
  [OID.extendedKeyUsage]: (value, into) => {
    into.extendedKeyUsage = readExtendedKeyUsage(value);
  },
  [OID.subjectAltName]: (value, into) => {
    into.subjectAltName = readSubjectAltName(value);
  },
  [OID.subjectKeyIdentifier]: (value, into) => {
    into.subjectKeyIdentifier = readSubjectKeyIdentifier(value);
  },
  [OID.authorityKeyIdentifier]: (value, into) => {
    into.authorityKeyIdentifier = readAuthorityKeyIdentifier(value);
  },
  [OID.nameConstraints]: (value, into) => {
    into.nameConstraints = readNameConstraints(value);
  },
  [OID.podIdentity]: (value, into) => {
    into.podIdentity = readPodIdentity(value);
  },
  [OID.issuerAltName]: (value) => {
    readGeneralNames(value.sequence('issuerAltName'), 'issuerAltName');
  },
  [OID.certificatePolicies]: (value, into) => {
    into.certificatePolicies = readCertificatePolicies(value);
  },
  [OID.policyMappings]: (value, into) => {
    into.policyMappings = readPolicyMappings(value);
  },
  [OID.policyConstraints]: (value, into) => {
    into.policyConstraints = readPolicyConstraints(value);
  },
  [OID.inhibitAnyPolicy]: (value, into) => {
    into.inhibitAnyPolicy = readInhibitAnyPolicy(value);
  },
  [OID.cRLDistributionPoints]: (value, into) => {
    into.cRLDistributionPoints = readDistributionPoints(value);
  },
  [OID.authorityInfoAccess]: (value, into) => {
    into.authorityInfoAccess = readAccess(value, 'authorityInfoAccess');
  },
  [OID.subjectInfoAccess]: (value) => {
    readAccess(value, 'subjectInfoAccess');
  },
  [OID.tlsFeature]: (value, into) => {
    into.tlsFeature = readTlsFeature(value);
  },
  [OID.ocspNoCheck]: (value, into) => {
    value.expect(TAG.null, 'ocspNoCheck');
    into.ocspNoCheck = true;
  },
};

export const NO_EXTENSIONS: Extensions = Object.freeze({
  present: new Set<string>(),
  critical: new Set<string>(),
  unknownCritical: [],
});

/** Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension (RFC 5280 4.1.2.9), each OID once (4.2). */
export function readExtensions(reader: DerReader): Extensions {
  const sequence = reader.sequence('extensions');
  const known: Mutable<Known> = {};
  const seen = new Set<string>();
  const critical = new Set<string>();
  do {
    const start = sequence.offset;
    if (seen.size === LIMITS.extensions) {
      throw new X509Error(start, `the certificate has more than ${LIMITS.extensions} extensions`);
    }
    const extension = sequence.sequence('extension');
    const oid = readOid(extension, 'extension OID');
    // RFC 5280 4.2: "A certificate MUST NOT include more than one instance of a particular extension."
    if (seen.has(oid)) throw new X509Error(start, `extension ${oid} is there twice`);
    seen.add(oid);
    if (readBooleanDefaultFalse(extension, `critical flag of extension ${oid}`)) critical.add(oid);
    const value = extension.inside(extension.expect(TAG.octetString, `value of extension ${oid}`));
    extension.finish(`extension ${oid}`);
    const read = READERS[oid];
    if (read === undefined) continue;
    read(value, known);
    value.finish(`value of extension ${oid}`);
  } while (!sequence.atEnd);
  const unknownCritical = [...critical].filter((oid) => READERS[oid] === undefined);
  return Object.freeze({ ...known, present: seen, critical, unknownCritical });
}
