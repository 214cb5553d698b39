import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * RFC 5280 6.1.3 (a)(2): "The certificate validity period includes the current time." No skew is forgiven. notAfter
 * names a second, not an instant (4.1.2.5: no fractions), and all of that second belongs to the validity.
 */
export function checkValidity(certificate: Certificate, time: number): StepResult {
  const clock = `by the clock here (${new Date(time).toISOString()})`;
  if (Math.floor(time / 1000) * 1000 > certificate.notAfter) {
    const ago = durationText(time - certificate.notAfter);
    return refuse(IDENTITY_REASONS['certificate-expired'], certificate, `it ended ${ago} ago ${clock}`);
  }
  if (time < certificate.notBefore) {
    const ahead = durationText(certificate.notBefore - time);
    return refuse(
      IDENTITY_REASONS['certificate-not-yet-valid'],
      certificate,
      `it begins in ${ahead} ${clock}; the clock of whoever issued it is ahead, or ours is behind, by at least that`,
    );
  }
  return undefined;
}

/** `47 s`, `3 min 5 s`, `2 h 10 min`, `40 d 3 h`. */
function durationText(milliseconds: number): string {
  const seconds = Math.max(Math.ceil(milliseconds / 1000), 1);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min ${seconds % 60} s`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
