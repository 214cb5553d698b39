import type { Refusal } from '#handshake';
import { err, type Result } from '#runtime';
import type { RpcRefusal, RpcStatus } from '#rpc';
import { ISSUANCE_REASONS } from './reasons.ts';
import { type Holder, type Revocation, revocationOf } from './revocation.ts';

type Code = keyof typeof ISSUANCE_REASONS;

/** What gRPC calls each refusal. */
const STATUS: Readonly<Record<Code, RpcStatus>> = {
  'token-malformed': 'INVALID_ARGUMENT',
  'token-wrong-audience': 'UNAUTHENTICATED',
  'token-expired': 'UNAUTHENTICATED',
  'token-too-long': 'UNAUTHENTICATED',
  'token-refused': 'UNAUTHENTICATED',
  'token-not-bound': 'UNAUTHENTICATED',
  'token-of-another-pod': 'PERMISSION_DENIED',
  'token-used-with-another-key': 'PERMISSION_DENIED',
  'attestation-unavailable': 'UNAVAILABLE',
  'pod-unknown': 'PERMISSION_DENIED',
  'pod-differs': 'PERMISSION_DENIED',
  'pod-on-host-network': 'PERMISSION_DENIED',
  'pod-certificate-malformed': 'INVALID_ARGUMENT',
  'pod-certificate-annotated': 'INVALID_ARGUMENT',
  'pod-certificate-not-written': 'UNAVAILABLE',
  'certificate-missing': 'UNAUTHENTICATED',
  'certificate-names-no-pod': 'FAILED_PRECONDITION',
  'attestation-too-old': 'FAILED_PRECONDITION',
  'key-not-fresh': 'INVALID_ARGUMENT',
  'identity-revoked': 'PERMISSION_DENIED',
  'too-many-requests': 'RESOURCE_EXHAUSTED',
};

export function refuseIssuance(code: Code, detail: string): Result<never, RpcRefusal> {
  return err({ status: STATUS[code], reason: ISSUANCE_REASONS[code], detail });
}

/** undefined: nothing of the holder is revoked. */
export function refuseRevoked(
  revocations: readonly Revocation[],
  holder: Holder,
): Result<never, RpcRefusal> | undefined {
  const revoked = revocationOf(revocations, holder);
  if (revoked === undefined) return undefined;
  const since = new Date(revoked.at).toISOString();
  return refuseIssuance('identity-revoked', `${revoked.kind} ${revoked.value}, since ${since}`);
}

/** A refusal of the authority itself. */
export function authorityRefusal({ reason, detail }: Refusal): RpcRefusal {
  return { status: reason.blame === 'peer' ? 'INVALID_ARGUMENT' : 'UNAVAILABLE', reason, detail };
}
