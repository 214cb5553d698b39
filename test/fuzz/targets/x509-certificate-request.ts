import { parseCertificateRequest } from '#identity/x509';

/** Any bytes: a value or a problem with its place among them, never an exception. */
export function fuzz(bytes: Uint8Array): void {
  const read = parseCertificateRequest(bytes);
  if (!read.ok && !(read.error.offset >= 0 && read.error.offset <= bytes.length)) {
    throw new Error(`a problem at byte ${read.error.offset} of ${bytes.length}`);
  }
}
