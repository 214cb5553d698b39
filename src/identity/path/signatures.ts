import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Budget } from './budget.ts';
import type { KnownIntermediates } from './known-intermediates.ts';
import { refuse, type StepResult } from './refuse.ts';
import { checkSignature } from './signature.ts';

/** Signatures that were checked in one search: each certificate under each key once, within the budget. */
export class Signatures {
  readonly #answers = new Map<Certificate, Map<string, StepResult>>();
  readonly #known: KnownIntermediates | undefined;

  constructor(known?: KnownIntermediates) {
    this.#known = known;
  }

  check(certificate: Certificate, issuer: Certificate, budget: Budget): StepResult {
    if (this.#known?.isSigned(certificate, issuer) === true) return undefined;
    const answers = this.#answers.get(certificate) ?? new Map<string, StepResult>();
    this.#answers.set(certificate, answers);
    const { spki } = issuer.publicKey;
    const key = Buffer.from(spki.buffer, spki.byteOffset, spki.length).toString('latin1');
    if (answers.has(key)) return answers.get(key);
    if (!budget.spend('signatureChecks', costOf(issuer))) {
      const what = 'gave up after too many signature checks';
      return refuse(IDENTITY_REASONS['chain-too-complex'], certificate, what);
    }
    const answer = checkSignature(certificate, issuer);
    answers.set(key, answer);
    return answer;
  }
}

/** How many P-256 verifications one signature costs, measured with OpenSSL 3.5 and rounded up. */
function costOf({ publicKey }: Certificate): number {
  switch (publicKey.type) {
    case 'ec-p256':
      return 1;
    case 'ed25519':
      return 2;
    case 'ec-p384':
      return 8;
    case 'rsa':
    case 'rsa-pss':
      return Math.ceil((publicKey.rsaBits ?? 0) / 2048);
  }
}
