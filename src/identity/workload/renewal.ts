import { generateKeyPairSync } from 'node:crypto';
import type { Refusal } from '#handshake';
import type { CryptoProvider } from '#handshake/crypto';
import { type Clock, err, type ReadableWatch, type Result, sleep } from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import type { IssuedCertificate } from '../issued-certificate.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import { acceptCredential, type WorkloadCredential } from './credentials.ts';
import type { IssuanceClient } from './issuance.ts';

export interface RenewalContext {
  readonly identity: SpiffeId;
  readonly issuance: IssuanceClient;
  readonly bundle: ReadableWatch<TrustBundle>;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
}

/** An authority that does not answer must not keep a workload from asking again. */
const ISSUANCE_TIMEOUT_MILLISECONDS = 30_000;

/**
 * One renewal: a fresh P-256 key that never leaves this process, a request that proves possession of it, and the
 * answer checked as peers would. Rejects only when `signal` aborts; every other failure is a refusal.
 */
export async function renew(
  { identity, issuance, bundle, clock, crypto }: RenewalContext,
  renewals: number,
  signal: AbortSignal,
): Promise<Result<WorkloadCredential, Refusal>> {
  // A P-256 key takes about a tenth of a millisecond: less than a turn in the thread pool.
  const { publicKey, privateKey } =
    (await issuance.chooseKeys?.()) ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const request = createCertificateRequest({ publicKey, privateKey });
  const issued = await askInTime(issuance, request, clock, signal);
  if (!issued.ok) return issued;
  // Bundle and time of now, not of when the request left.
  return acceptCredential({
    crypto,
    chain: issued.value.chain,
    publicKey,
    privateKey,
    keySource: 'that of the signing request',
    identity,
    bundle: bundle.value,
    now: clock.now(),
    renewals,
  });
}

async function askInTime(
  issuance: IssuanceClient,
  csr: Uint8Array,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<IssuedCertificate, Refusal>> {
  const attempt = new AbortController();
  const either = AbortSignal.any([signal, attempt.signal]);
  const timeout = sleep(clock, ISSUANCE_TIMEOUT_MILLISECONDS, either).then(() =>
    failed(`no answer within ${ISSUANCE_TIMEOUT_MILLISECONDS / 1000} s`),
  );
  try {
    return await Promise.race([askSafely(issuance, csr, either), timeout]);
  } finally {
    attempt.abort();
    await timeout.catch(() => undefined);
  }
}

async function askSafely(
  issuance: IssuanceClient,
  csr: Uint8Array,
  signal: AbortSignal,
): Promise<Result<IssuedCertificate, Refusal>> {
  try {
    return await issuance.issue(csr, signal);
  } catch (error) {
    signal.throwIfAborted();
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(detail: string): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS['issuance-failed'], detail });
}
