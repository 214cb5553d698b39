import type { Reason, Refusal } from '#handshake';
import { type Certificate, describeCertificate } from '../x509/certificate.ts';

/** A step's negative answer: which certificate, and what about it. A step that is content answers undefined. */
export type StepResult = Refusal | undefined;

export function refuse(reason: Reason, certificate: Certificate, what: string): Refusal {
  return { reason, detail: `${describeCertificate(certificate)}: ${what}` };
}
