import type { KeyObject } from 'node:crypto';
import type { Refusal } from '#handshake';
import type { Result } from '#runtime';
import type { IssuedCertificate } from '../issued-certificate.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Asks an authority for a certificate over the key of a request (PKCS #10, DER). Stops when `signal` aborts. */
export interface IssuanceClient {
  /** The key that the next request has to be over. Without this method: a fresh one each time. */
  chooseKeys?(): Promise<KeyPair>;
  issue(csr: Uint8Array, signal: AbortSignal): Promise<Result<IssuedCertificate, Refusal>>;
}
