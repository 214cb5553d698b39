import { createHash } from 'node:crypto';
import { parseCertificate } from '../x509/certificate.ts';
import type { Certificate } from '../x509/certificate.ts';
import { problemText } from '../x509/problem.ts';
import { CertificateIndex } from './certificate-index.ts';

/** Public roots: whom the web trusts, for any name. Never mixed with the roots of a trust domain. */
export interface WebRoots {
  readonly index: CertificateIndex;
  /** Roots that cannot be read, each with why; no chain leads to them. */
  readonly unreadable: readonly string[];
  /** SHA-256, hexadecimal, over the DER of the readable roots in sorted order. */
  readonly hash: string;
}

/** One root that this reader doesn't take (old lists have some) must not cost the others. */
export function createWebRoots(ders: readonly Uint8Array[]): WebRoots {
  const certificates: Certificate[] = [];
  const unreadable: string[] = [];
  for (const [index, der] of ders.entries()) {
    const root = parseCertificate(der);
    if (root.ok) certificates.push(root.value);
    else unreadable.push(`root ${index + 1} ${problemText(root.error)}`);
  }
  const hash = createHash('sha256');
  for (const { der } of [...certificates].sort((a, b) => Buffer.compare(a.der, b.der))) hash.update(der);
  return Object.freeze({ index: new CertificateIndex(certificates), unreadable, hash: hash.digest('hex') });
}
