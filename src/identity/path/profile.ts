import type { Certificate } from '../x509/certificate.ts';
import type { StepResult } from './refuse.ts';

/** What a kind of mesh or web asks of certificates beyond RFC 5280. */
export interface Profile {
  readonly name: 'spiffe' | 'webpki';
  /** Extensions that RFC 5280 wants critical and this profile does not. */
  readonly mayBeNotCritical: ReadonlySet<string>;
  /** Run last on each root, CA and leaf of a path, after the steps of RFC 5280. */
  checkRoot(root: Certificate): StepResult;
  checkIntermediate(issuer: Certificate): StepResult;
  checkLeaf(leaf: Certificate): StepResult;
}
