import { equal } from '#runtime';
import type { Certificate } from '../x509/certificate.ts';
import type { ValidPath } from './build.ts';

/**
 * Intermediates that stood in a valid path under one bundle: read once, and their signatures checked once. Both are facts
 * of the bytes alone. What depends on the time, the purpose, the names or the leaf is judged anew in every search. Only
 * who holds a key that the roots vouch for can put something in here.
 */
export class KnownIntermediates {
  /** Oldest first. */
  readonly #entries: KnownIntermediate[] = [];

  /** The certificate with these bytes, DER. */
  certificate(der: Uint8Array): Certificate | undefined {
    return this.#entries.find(({ certificate }) => equal(certificate.der, der))?.certificate;
  }

  /** Whether the signature of this very object is known to hold under the key of `issuer`. */
  isSigned(certificate: Certificate, issuer: Certificate): boolean {
    const entry = this.#entries.find((known) => known.certificate === certificate);
    return entry !== undefined && equal(entry.issuerKey, issuer.publicKey.spki);
  }

  /** Every signature in `path` was found to hold. */
  learn(path: ValidPath): void {
    for (const [index, certificate] of path.entries()) {
      const issuer = path[index + 1];
      // Neither the leaf nor the root.
      if (index === 0 || issuer === undefined) continue;
      if (this.#entries.some((known) => known.certificate === certificate)) continue;
      if (this.#entries.length >= MOST_KNOWN) this.#entries.shift();
      this.#entries.push({ certificate, issuerKey: issuer.publicKey.spki });
    }
  }
}

/** A mesh has one or two at a time, and one more for a while when one is replaced. */
export const MOST_KNOWN = 16;

interface KnownIntermediate {
  readonly certificate: Certificate;
  /** SubjectPublicKeyInfo, DER. */
  readonly issuerKey: Uint8Array;
}
