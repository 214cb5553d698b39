import type { Reason, Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { problemText, type X509Problem } from '../x509/problem.ts';
import type { KnownIntermediates } from './known-intermediates.ts';

/** What a peer sent, read: the leaf and the others in their order. */
export interface Presented {
  readonly leaf: Certificate;
  readonly others: readonly Certificate[];
  /** What was wrong with those others that were left out. */
  readonly unreadable: readonly Refusal[];
}

/**
 * Reads at most `most` certificates, leaf first. The leaf has to be readable. One of the others that is not can be
 * part of no path; it is left out and reported.
 */
export function readPresented(
  chain: readonly Uint8Array[],
  most: number,
  known?: KnownIntermediates,
): Result<Presented, Refusal> {
  if (chain.length > most) {
    const detail = `${chain.length} certificates were sent; at most ${most} are read`;
    return err({ reason: IDENTITY_REASONS['too-many-certificates'], detail });
  }
  const certificates: Certificate[] = [];
  const unreadable: Refusal[] = [];
  for (const [index, der] of chain.entries()) {
    const before = index === 0 ? undefined : known?.certificate(der);
    const certificate = before === undefined ? parseCertificate(der) : ok(before);
    if (certificate.ok) {
      certificates.push(certificate.value);
      continue;
    }
    const detail = `certificate ${index + 1} of ${chain.length} ${problemText(certificate.error)}`;
    const refusal = { reason: REASON_OF_PROBLEM[certificate.error.kind], detail };
    if (index === 0) return err(refusal);
    unreadable.push(refusal);
  }
  const [leaf, ...others] = certificates;
  if (leaf === undefined) {
    return err({ reason: IDENTITY_REASONS['malformed-certificate'], detail: 'no certificate was sent' });
  }
  return ok({ leaf, others, unreadable });
}

const REASON_OF_PROBLEM: Readonly<Record<X509Problem['kind'], Reason>> = {
  malformed: IDENTITY_REASONS['malformed-certificate'],
  'unsupported-key': IDENTITY_REASONS['unsupported-public-key'],
  'weak-key': IDENTITY_REASONS['weak-public-key'],
};
