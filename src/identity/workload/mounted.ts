import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Refusal } from '#handshake';
import { equal, err, type Result } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import { decodeCertificates } from '../x509/pem.ts';
import { acceptCredential, type CredentialInput, type WorkloadCredential } from './credentials.ts';

/** What a Secret of type kubernetes.io/tls holds, as PEM. */
export interface MountedFiles {
  /** `tls.crt`: leaf first. */
  readonly certificate: string;
  /** `tls.key` */
  readonly key: string;
}

/**
 * A certificate and key that somebody else issued and mounted becomes a credential under the same checks as one that we
 * asked for. The refusal `credential-unusable` says what is wrong and never shows anything of the key.
 */
export function readMounted(
  { certificate, key }: MountedFiles,
  context: Pick<CredentialInput, 'crypto' | 'identity' | 'bundle' | 'now' | 'renewals'>,
): Result<WorkloadCredential, Refusal> {
  const chain = decodeCertificates(certificate);
  if (!chain.ok) return refuse(`the certificate file: ${chain.error}`);
  const privateKey = readKey(key);
  if (privateKey === undefined)
    return refuse('the key file holds no private key as PEM without a passphrase');
  const roots = context.bundle.roots.map(({ der }) => der);
  return acceptCredential({
    ...context,
    // Some issuers add the root, which peers have; it is never sent.
    chain: chain.value.filter((der) => !roots.some((root) => equal(root, der))),
    privateKey,
    publicKey: createPublicKey(privateKey),
    keySource: 'that of the key file',
  });
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return undefined; // What OpenSSL says of it helps nobody, and could quote it.
  }
}

function refuse(detail: string): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS['credential-unusable'], detail });
}
