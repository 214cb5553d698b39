import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';

/** RFC 5280 4.1.2.2: "The serial number MUST be a positive integer". Roots, old ones above all, are spared. */
export function checkSerialNumber(certificate: Certificate): StepResult {
  if (!/^0+$/.test(certificate.serial)) return undefined;
  return refuse(IDENTITY_REASONS['malformed-certificate'], certificate, 'its serial number is zero');
}
