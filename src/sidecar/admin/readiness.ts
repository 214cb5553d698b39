import { type Reason, TlsError } from '#handshake';
import type { CheckedConfig } from '../config.ts';
import { usableCredential } from '../credential.ts';
import { SIDECAR_REASONS } from '../reason.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly (Pick<Reason, 'code' | 'say' | 'next'> & { readonly detail: string })[];
}

/** Ready means: a call that comes now can succeed, as far as this sidecar goes. */
export function readiness(config: CheckedConfig, draining: boolean): Readiness {
  const reasons: Readiness['reasons'][number][] = [];
  const add = ({ code, say, next }: Reason, detail: string): void =>
    void reasons.push({ code, say, next, detail });
  if (draining) add(SIDECAR_REASONS.draining, '');
  try {
    usableCredential(config);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    add(error.reason, error.detail);
  }
  if (config.policies.value.epoch === 0) add(SIDECAR_REASONS['no-policies'], '');
  return { ready: reasons.length === 0, reasons };
}
