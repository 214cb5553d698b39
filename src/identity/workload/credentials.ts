import type { KeyObject } from 'node:crypto';
import type { Credential, Refusal } from '#handshake';
import type { CryptoProvider } from '#handshake/crypto';
import { err, ok, type Result } from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import { verifySvid } from '../path/verify-svid.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { describeCertificate } from '../x509/certificate.ts';

/** What a workload shows its peers, and what is worth knowing about it. Times are milliseconds since the Unix epoch. */
export interface WorkloadCredential {
  readonly credential: Credential;
  readonly spiffeId: SpiffeId;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** The certificate that signed the leaf. */
  readonly issuer: { readonly serial: string; readonly notAfter: number };
  /** 0 for the first, then one more with each. */
  readonly renewals: number;
}

export interface CredentialInput {
  /** What signs with the key. */
  readonly crypto: CryptoProvider;
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Which key is ours, for people: `that of the key file`. */
  readonly keySource: string;
  readonly identity: SpiffeId;
  readonly bundle: TrustBundle;
  readonly now: number;
  readonly renewals: number;
}

/**
 * A chain that was received becomes a credential only if peers would believe it: their own verifier accepts it in
 * both roles, it names us, and it is over the key we hold.
 */
export function acceptCredential(input: CredentialInput): Result<WorkloadCredential, Refusal> {
  const { chain, identity, bundle, now, renewals } = input;
  const asClient = verifySvid({ role: 'client', chain }, bundle, now);
  if (!asClient.ok) return unusable('client', asClient.error);
  const asServer = verifySvid({ role: 'server', chain }, bundle, now);
  if (!asServer.ok) return unusable('server', asServer.error);
  const { leaf, path, spiffeId } = asServer.value;
  if (spiffeId.toString() !== identity.toString()) {
    return refuse(`${describeCertificate(leaf)}: it names another workload than ${identity.toString()}`);
  }
  if (!leaf.publicKey.key.equals(input.publicKey)) {
    return refuse(`${describeCertificate(leaf)}: it is over another key than ${input.keySource}`);
  }
  const [, issuer = leaf] = path;
  return ok(
    Object.freeze({
      credential: Object.freeze({
        chain: Object.freeze([...chain]),
        signer: input.crypto.signer(input.privateKey),
        notAfter: leaf.notAfter,
      }),
      spiffeId,
      serial: leaf.serial,
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
      issuer: Object.freeze({ serial: issuer.serial, notAfter: issuer.notAfter }),
      renewals,
    }),
  );
}

/** Whether peers who have `bundle` would still believe the credential. */
export function stillBelieved({ credential }: WorkloadCredential, bundle: TrustBundle, now: number): boolean {
  return (['client', 'server'] as const).every(
    (role) => verifySvid({ role, chain: credential.chain }, bundle, now).ok,
  );
}

function unusable(role: 'client' | 'server', { reason, detail }: Refusal): Result<never, Refusal> {
  return refuse(`as a ${role} it would be refused with ${reason.code}: ${detail}`);
}

function refuse(detail: string): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS['credential-unusable'], detail });
}
