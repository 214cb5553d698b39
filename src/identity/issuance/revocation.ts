import { serviceAccountOf, type SpiffeId } from '../spiffe-id.ts';
import type { PodIdentity } from '../x509/extensions/pod-identity.ts';

/** What was revoked: no certificate is issued for it any more. */
export interface Revocation {
  readonly kind: 'pod' | 'serial' | 'serviceAccount';
  /** A pod's UID, a serial number in lower-case hexadecimal, or `<namespace>/<name>`. */
  readonly value: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

export interface Holder {
  readonly spiffeId: SpiffeId;
  readonly pod: PodIdentity | undefined;
  /** Of the certificate that is shown; undefined with a token. */
  readonly serial: string | undefined;
}

export function revocationOf(
  revocations: readonly Revocation[],
  { spiffeId, pod, serial }: Holder,
): Revocation | undefined {
  const account = serviceAccountOf(spiffeId);
  const values: Readonly<Record<Revocation['kind'], string | undefined>> = {
    pod: pod?.podUid,
    serial,
    serviceAccount: account && `${account.namespace}/${account.serviceAccount}`,
  };
  return revocations.find(({ kind, value }) => value === values[kind]);
}
