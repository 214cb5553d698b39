import { type Reason, REASONS } from '#handshake';
import { IDENTITY_REASONS } from '#identity';
import { POLICY_REASONS } from '#policy';
import { SIDECAR_REASONS } from '#sidecar';

const ALL: Readonly<Record<string, Reason>> = {
  ...SIDECAR_REASONS,
  ...POLICY_REASONS,
  ...IDENTITY_REASONS,
  ...REASONS,
};

/** The row of a code; throws for one that no table has. */
export function reasonOf(code: string): Reason {
  const reason = ALL[code];
  if (reason === undefined) throw new Error(`${code} is in no table of reasons`);
  return reason;
}
