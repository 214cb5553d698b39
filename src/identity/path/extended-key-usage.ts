import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { refuse, type StepResult } from './refuse.ts';

/** What a peer's certificate must be good for: the peer's role decides. */
export type Purpose = 'serverAuth' | 'clientAuth';

/**
 * RFC 5280 4.2.1.12, for the leaf and for each CA above it (CVE-2022-21657): a CA with the extension vouches for
 * these purposes only; one without it for any. A leaf has to name its purpose: none, or anyExtendedKeyUsage, is refused.
 */
export function checkExtendedKeyUsage(certificate: Certificate, purpose: Purpose, leaf: boolean): StepResult {
  const usage = certificate.extensions.extendedKeyUsage;
  if (usage === undefined) {
    if (!leaf) return undefined;
    return refuse(IDENTITY_REASONS['missing-extended-key-usage'], certificate, 'it has no extendedKeyUsage');
  }
  if (usage.has(OID[purpose]) || (!leaf && usage.has(OID.anyExtendedKeyUsage))) return undefined;
  return refuse(
    IDENTITY_REASONS['missing-extended-key-usage'],
    certificate,
    `its extendedKeyUsage (${[...usage].join(', ')}) lacks ${purpose} (${OID[purpose]})`,
  );
}
