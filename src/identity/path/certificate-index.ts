import type { Certificate } from '../x509/certificate.ts';
import type { Name } from '../x509/name.ts';

/** Certificates by their subjects, so that a search looks at no others. In their order within a subject. */
export class CertificateIndex {
  readonly certificates: readonly Certificate[];
  readonly #bySubject = new Map<string, Certificate[]>();

  constructor(certificates: readonly Certificate[]) {
    this.certificates = certificates;
    for (const certificate of certificates) {
      const key = keyOf(certificate.subject);
      const same = this.#bySubject.get(key);
      if (same === undefined) this.#bySubject.set(key, [certificate]);
      else same.push(certificate);
    }
  }

  named(subject: Name): readonly Certificate[] {
    return this.#bySubject.get(keyOf(subject)) ?? [];
  }
}

/** RFC 5280 6.1.3 (a)(4): "The certificate issuer name is the working_issuer_name", byte by byte. */
function keyOf(name: Name): string {
  return Buffer.from(name.der.buffer, name.der.byteOffset, name.der.length).toString('latin1');
}
