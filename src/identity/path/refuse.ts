import type { Reason, Refusal } from '#handshake';
import { type Certificate, describeCertificate } from '../x509/certificate.ts';

/** A step's negative answer: which certificate, and what about it. A step that is content answers undefined. */
export type StepResult = Refusal | undefined;

export function refuse(reason: Reason, certificate: Certificate, what: string): Refusal {
  return { reason, detail: `${describeCertificate(certificate)}: ${what}` };
}

/** Adds where in the path the certificate stands: 0 is the leaf, as `openssl verify` counts. */
export function atDepth(problem: StepResult, depth: number, length: number): StepResult {
  if (problem === undefined) return undefined;
  const place = depth === 0 ? 'the leaf' : depth === length - 1 ? 'the root' : `intermediate ${depth}`;
  return { reason: problem.reason, detail: `${problem.detail} (${place} of a path of ${length})` };
}
