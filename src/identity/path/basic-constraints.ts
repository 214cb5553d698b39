import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * RFC 5280 6.1.4 (k): "verify that the basicConstraints extension is present and that cA is set to TRUE". Absent is
 * not a CA (GHSA-2328-f5f3-gj25).
 */
export function checkBasicConstraints(issuer: Certificate): StepResult {
  const constraints = issuer.extensions.basicConstraints;
  if (constraints?.ca === true) return undefined;
  const what =
    constraints === undefined ? 'it has no basicConstraints' : 'its basicConstraints say it is no CA';
  return refuse(IDENTITY_REASONS['not-a-ca'], issuer, what);
}
