import { equal } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import { type Certificate, describeCertificate } from '../x509/certificate.ts';
import type { RevocationList } from '../x509/crl.ts';
import { refuse, type StepResult } from './refuse.ts';
import { checkRevocationList, covers } from './revocation-list.ts';

/** What is known about revocations, and how much must be. */
export interface RevocationInput {
  /** The lists there are for an issuer of this name (compared by its bytes). */
  readonly listsOf: (issuer: Certificate) => readonly RevocationList[];
  /** A certificate about which no list speaks: hard-fail refuses it, soft-fail accepts it. */
  readonly missing: 'refuse' | 'accept';
  /** A certificate that only lists past their nextUpdate clear. What they revoke stays revoked. */
  readonly stale: 'refuse' | 'accept';
}

/**
 * RFC 5280 6.3 for each certificate of a valid path but the root, which nobody can revoke: leaf first. A list that is
 * there for an issuer and cannot be used refuses, hard-fail or soft: it was put there to be heeded.
 */
export function checkRevocation(
  path: readonly Certificate[],
  input: RevocationInput,
  time: number,
): StepResult {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    const problem = issuer === undefined ? undefined : checkStatus(certificate, issuer, input, time);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkStatus(
  certificate: Certificate,
  issuer: Certificate,
  input: RevocationInput,
  time: number,
): StepResult {
  let cleared: 'fresh' | 'stale' | undefined;
  for (const list of input.listsOf(issuer)) {
    if (!equal(list.issuer.der, issuer.subject.der)) continue;
    const unusable = checkRevocationList(list, issuer);
    if (unusable !== undefined) return unusable;
    if (!covers(list, certificate)) continue;
    const revocation = list.revoked.get(certificate.serial);
    if (revocation !== undefined) {
      const what = `it was revoked ${new Date(revocation.time).toISOString()} (${revocation.reason})`;
      return refuse(IDENTITY_REASONS['certificate-revoked'], certificate, what);
    }
    // A list of some reasons only can revoke, but not clear.
    if (list.extensions.issuingDistributionPoint?.someReasonsOnly) continue;
    if (isFresh(list, time)) cleared = 'fresh';
    else cleared ??= 'stale';
  }
  if (cleared === 'fresh') return undefined;
  if ((cleared === 'stale' ? input.stale : input.missing) === 'accept') return undefined;
  const which =
    cleared === 'stale' ? 'the revocation list is not of this time' : 'there is no revocation list';
  const what = `${which} of its issuer ${describeCertificate(issuer)}`;
  return refuse(IDENTITY_REASONS['revocation-unknown'], certificate, what);
}

/** RFC 5280 5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs." */
function isFresh({ thisUpdate, nextUpdate }: RevocationList, time: number): boolean {
  return thisUpdate <= time && nextUpdate !== undefined && Math.floor(time / 1000) * 1000 <= nextUpdate;
}
