import type { DerReader } from '../der/reader.ts';
import { contextConstructed, contextPrimitive } from '../der/tag.ts';
import { readNamedBits } from '../der/values.ts';
import { type GeneralName, readGeneralNames } from '../general-name.ts';
import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.13: one place where the issuer publishes its revocations. */
export interface DistributionPoint {
  readonly fullName: readonly GeneralName[];
  /** The list there holds some reasons only, or another issuer signs it: neither is processed here. */
  readonly partial: boolean;
  readonly indirect: boolean;
}

/** CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint. */
export function readDistributionPoints(value: DerReader): readonly DistributionPoint[] {
  const sequence = value.sequence('cRLDistributionPoints');
  const points: DistributionPoint[] = [];
  do {
    const start = sequence.offset;
    if (points.length === LIMITS.locations) {
      throw new X509Error(start, `cRLDistributionPoints has more than ${LIMITS.locations} places`);
    }
    const point = sequence.sequence('distributionPoint');
    const name = point.optional(contextConstructed(0), 'distributionPoint name');
    const fullName = name === undefined ? [] : readPointName(point.inside(name));
    const partial = point.next === contextPrimitive(1);
    if (partial) readNamedBits(point, 'reasons', contextPrimitive(1));
    const issuer = point.optional(contextConstructed(2), 'cRLIssuer');
    if (issuer !== undefined) readGeneralNames(point.inside(issuer), 'cRLIssuer');
    point.finish('distributionPoint');
    // RFC 5280 4.2.1.13: "a DistributionPoint MUST NOT consist of only the reasons field".
    if (name === undefined && issuer === undefined) {
      throw new X509Error(start, 'a distributionPoint has neither a name nor a cRLIssuer');
    }
    points.push({ fullName, partial, indirect: issuer !== undefined });
  } while (!sequence.atEnd);
  return Object.freeze(points);
}

/** DistributionPointName: the full names; a name relative to the issuer's is checked for form and left aside. */
export function readPointName(choice: DerReader): readonly GeneralName[] {
  const full = choice.optional(contextConstructed(0), 'fullName');
  if (full !== undefined) {
    const names = readGeneralNames(choice.inside(full), 'fullName');
    choice.finish('distributionPoint name');
    return names;
  }
  choice.expect(contextConstructed(1), 'nameRelativeToCRLIssuer');
  choice.finish('distributionPoint name');
  return [];
}
