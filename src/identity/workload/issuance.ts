import type { Refusal } from '#handshake';
import type { Result } from '#runtime';
import type { IssuedCertificate } from '../issued-certificate.ts';

/** Asks an authority for a certificate over the key of a request (PKCS #10, DER). Stops when `signal` aborts. */
export interface IssuanceClient {
  issue(csr: Uint8Array, signal: AbortSignal): Promise<Result<IssuedCertificate, Refusal>>;
}
