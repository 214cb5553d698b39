import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#runtime';
import { parseTrustDomain } from './trust-domain.ts';
import { type Certificate, describeCertificate, parseCertificate } from './x509/certificate.ts';
import { decodeCertificates, encodePem } from './x509/pem.ts';
import { problemText } from './x509/problem.ts';

/** The roots that may vouch for identities of one trust domain, and for no other. Frozen. */
export interface TrustBundle {
  readonly trustDomain: string;
  readonly roots: readonly Certificate[];
  /** SHA-256, hexadecimal, over the roots' DER in sorted order: equal bundles have equal hashes. */
  readonly hash: string;
}

/** The same from a file's text: certificates as PEM. */
export function parseTrustBundle(trustDomain: string, pem: string): Result<TrustBundle, readonly string[]> {
  const roots = decodeCertificates(pem);
  return roots.ok ? createTrustBundle(trustDomain, roots.value) : err([roots.error]);
}

/** The root that ends last: a mesh lives as long as it. */
export function lastingRoot({ roots }: TrustBundle): Certificate {
  // A bundle has at least one.
  return roots.reduce((last, root) => (root.notAfter > last.notAfter ? root : last));
}

/** The roots as PEM, which `parseTrustBundle` reads back. */
export function encodeTrustBundle({ roots }: TrustBundle): string {
  return roots.map(({ der }) => encodePem('CERTIFICATE', der)).join('');
}

/** Parses roots (DER) into a bundle. All mistakes are in the error, each with the number of its certificate. */
export function createTrustBundle(
  trustDomain: string,
  roots: readonly Uint8Array[],
): Result<TrustBundle, readonly string[]> {
  const problems: string[] = [];
  const domain = parseTrustDomain(trustDomain);
  if (!domain.ok) problems.push(domain.error);
  if (roots.length === 0) problems.push('a trust bundle needs at least one root certificate');
  const certificates = new Map<string, Certificate>();
  for (const [index, der] of roots.entries()) {
    const root = parseCertificate(der);
    if (!root.ok) {
      problems.push(`root ${index + 1}: ${problemText(root.error)}`);
      continue;
    }
    if (root.value.extensions.basicConstraints?.ca !== true) {
      problems.push(`root ${index + 1}: ${describeCertificate(root.value)}: it is no CA certificate`);
    }
    certificates.set(Buffer.from(der).toString('latin1'), root.value);
  }
  if (problems.length > 0) return err(problems);
  const sorted = [...certificates.values()].sort((a, b) => Buffer.compare(a.der, b.der));
  const hash = createHash('sha256');
  for (const root of sorted) hash.update(root.der);
  return ok(Object.freeze({ trustDomain, roots: Object.freeze(sorted), hash: hash.digest('hex') }));
}
