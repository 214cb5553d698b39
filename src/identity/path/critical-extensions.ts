import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';

/** RFC 5280 6.1.4 (o), 6.1.5 (f): a critical extension that isn't understood makes the path invalid. */
export function checkCriticalExtensions(certificate: Certificate): StepResult {
  const unknown = certificate.extensions.unknownCritical;
  if (unknown.length === 0) return undefined;
  return refuse(
    IDENTITY_REASONS['unknown-critical-extension'],
    certificate,
    `critical extension ${unknown.join(', ')} is not understood`,
  );
}
