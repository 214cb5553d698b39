import { numbers16 } from '../wire/writer.ts';

/**
 * RFC 8446 4.2.3: signature_algorithms_cert, what may sign certificates. It is for those "which have different policies
 * in these two cases": where both lists are the same, signature_algorithms says it all and this is left out.
 */
export function encodeCertificateSchemes(
  forCertificates: readonly number[],
  forHandshakes: readonly number[],
): Uint8Array | undefined {
  return forCertificates.join() === forHandshakes.join() ? undefined : numbers16(forCertificates);
}
