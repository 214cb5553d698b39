import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';

/** RFC 5280 6.1.4 (n): "If a key usage extension is present, verify that the keyCertSign bit is set." */
export function checkIssuerKeyUsage(issuer: Certificate): StepResult {
  const usage = issuer.extensions.keyUsage;
  if (usage === undefined || usage.has('keyCertSign')) return undefined;
  return refuse(
    IDENTITY_REASONS['missing-key-usage'],
    issuer,
    'it signed a certificate without having keyCertSign',
  );
}
