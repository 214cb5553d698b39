import type { DerReader } from '../der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tag.ts';
import { readInteger, readNamedBits, readOctets } from '../der/values.ts';
import type { GeneralName } from '../general-name.ts';
import { LIMITS } from '../limits.ts';
import { OID } from '../oids.ts';
import { X509Error } from '../problem.ts';
import { readPointName } from './distribution-points.ts';
import { eachExtension } from './each-extension.ts';
import { type AuthorityKeyIdentifier, readAuthorityKeyIdentifier } from './key-identifiers.ts';

/** RFC 5280 5.2.5: what a list speaks about. */
export interface IssuingDistributionPoint {
  readonly fullName: readonly GeneralName[];
  readonly userCertificatesOnly: boolean;
  readonly caCertificatesOnly: boolean;
  readonly attributeCertificatesOnly: boolean;
  readonly someReasonsOnly: boolean;
  readonly indirect: boolean;
}

/** RFC 5280 5.2: extensions of a list, each undefined when absent. */
export interface CrlExtensions {
  readonly authorityKeyIdentifier?: AuthorityKeyIdentifier;
  /** Of at most 20 octets, as hexadecimal: it orders lists of one issuer. */
  readonly number?: string;
  readonly delta?: true;
  readonly issuingDistributionPoint?: IssuingDistributionPoint;
  readonly critical: ReadonlySet<string>;
  readonly unknownCritical: readonly string[];
}

export const NO_CRL_EXTENSIONS: CrlExtensions = Object.freeze({
  critical: new Set<string>(),
  unknownCritical: [],
});

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function readCrlExtensions(field: DerReader): CrlExtensions {
  const found: Mutable<Omit<CrlExtensions, 'critical' | 'unknownCritical'>> = {};
  const critical = new Set<string>();
  const unknownCritical: string[] = [];
  eachExtension(field, (oid, isCritical, value) => {
    if (isCritical) critical.add(oid);
    switch (oid) {
      case OID.authorityKeyIdentifier:
        found.authorityKeyIdentifier = readAuthorityKeyIdentifier(value);
        break;
      case OID.cRLNumber:
        found.number = readNumber(value);
        break;
      case OID.deltaCRLIndicator:
        readNumber(value);
        found.delta = true;
        break;
      case OID.issuingDistributionPoint:
        found.issuingDistributionPoint = readIssuingDistributionPoint(value);
        break;
      default:
        if (isCritical) unknownCritical.push(oid);
        return;
    }
    value.finish(`value of extension ${oid}`);
  });
  return Object.freeze({ ...found, critical, unknownCritical });
}

/**
 * crlEntryExtensions (RFC 5280 5.3): the number of the reason. One that is critical and not understood makes the whole
 * list useless, and certificateIssuer is one of those: it turns up in indirect lists only.
 */
export function readEntryExtensions(entry: DerReader): number {
  let reason = 0;
  eachExtension(entry, (oid, critical, value) => {
    if (oid === OID.cRLReason) {
      const contents = value.contents(value.expect(TAG.enumerated, 'reasonCode'));
      if (contents.length !== 1) throw new X509Error(value.offset, 'reasonCode is no number of one octet');
      reason = contents[0] ?? 0;
      value.finish('reasonCode');
    } else if (critical) {
      throw new X509Error(value.offset, `a listed certificate has critical extension ${oid}`);
    }
  });
  return reason;
}

/** RFC 5280 5.2.3: "CRL verifiers MUST be able to handle CRLNumber values up to 20 octets", none longer nor negative. */
function readNumber(value: DerReader): string {
  const start = value.offset;
  const contents = readInteger(value, 'CRL number');
  if (contents.length > LIMITS.serialBytes || (contents[0] ?? 0) >= 0x80) {
    throw new X509Error(start, `CRL number is negative or longer than ${LIMITS.serialBytes} octets`);
  }
  return Buffer.from(contents).toString('hex');
}

function readIssuingDistributionPoint(value: DerReader): IssuingDistributionPoint {
  const start = value.offset;
  const sequence = value.sequence('issuingDistributionPoint');
  const name = sequence.optional(contextConstructed(0), 'distributionPoint name');
  const fullName = name === undefined ? [] : readPointName(sequence.inside(name));
  const userCertificatesOnly = readFlag(sequence, 1);
  const caCertificatesOnly = readFlag(sequence, 2);
  const someReasonsOnly = sequence.next === contextPrimitive(3);
  if (someReasonsOnly) readNamedBits(sequence, 'onlySomeReasons', contextPrimitive(3));
  const indirect = readFlag(sequence, 4);
  const attributeCertificatesOnly = readFlag(sequence, 5);
  sequence.finish('issuingDistributionPoint');
  // RFC 5280 5.2.5: "at most one" of the three may be TRUE.
  if (Number(userCertificatesOnly) + Number(caCertificatesOnly) + Number(attributeCertificatesOnly) > 1) {
    throw new X509Error(start, 'issuingDistributionPoint limits the list in two ways at once');
  }
  return {
    fullName,
    userCertificatesOnly,
    caCertificatesOnly,
    attributeCertificatesOnly,
    someReasonsOnly,
    indirect,
  };
}

/** BOOLEAN DEFAULT FALSE under a context tag: DER leaves FALSE out. */
function readFlag(sequence: DerReader, number: number): boolean {
  if (sequence.next !== contextPrimitive(number)) return false;
  const start = sequence.offset;
  const octets = readOctets(sequence, 'flag of issuingDistributionPoint', contextPrimitive(number));
  if (octets.length !== 1 || octets[0] !== 0xff) {
    throw new X509Error(start, 'a flag of issuingDistributionPoint is no DER TRUE');
  }
  return true;
}
