import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';
import { checkValidity } from './validity.ts';

/**
 * RFC 5280 6.1.1 (d) takes only a name and a key from the trust anchor and leaves the rest to the application. Here a
 * root that has ended is no longer trusted; its signature on itself proves nothing and isn't checked.
 */
export function checkTrustAnchor(root: Certificate, time: number): StepResult {
  const outside = checkValidity(root, time);
  if (outside === undefined) return undefined;
  return time > root.notAfter
    ? refuse(IDENTITY_REASONS['trust-anchor-expired'], root, 'this root has ended')
    : refuse(IDENTITY_REASONS['trust-anchor-not-yet-valid'], root, 'this root is not valid yet');
}
