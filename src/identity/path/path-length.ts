import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { isSelfIssued } from './issuer.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * RFC 5280 6.1.4 (l) and (m): `allowed` is max_path_length before this CA: how many CAs that are not self-issued may
 * still come. Infinity at the start.
 */
export function checkPathLength(issuer: Certificate, allowed: number): StepResult {
  if (isSelfIssued(issuer) || allowed > 0) return undefined;
  return refuse(
    IDENTITY_REASONS['path-length-exceeded'],
    issuer,
    'the CA above it allows no further CA below',
  );
}

/** max_path_length after this CA. */
export function remainingPathLength(issuer: Certificate, allowed: number): number {
  const left = isSelfIssued(issuer) ? allowed : allowed - 1;
  return Math.min(left, issuer.extensions.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY);
}
