import { type Reason, TlsError } from '#handshake';
import type { CheckedConfig } from '../config.ts';
import { usableCredential } from '../credential.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly (Pick<Reason, 'code' | 'say' | 'next'> & { readonly detail: string })[];
}

/** Ready means: a call that comes now can succeed, as far as this sidecar goes. */
export function readiness(config: CheckedConfig, draining: boolean): Readiness {
  const reasons: Readiness['reasons'][number][] = [];
  if (draining) {
    const say = 'The sidecar drains: it is about to stop, and new calls belong elsewhere.';
    reasons.push({ code: 'draining', say, next: 'Wait for it to stop; call another instance.', detail: '' });
  }
  try {
    usableCredential(config);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const { code, say, next } = error.reason;
    reasons.push({ code, say, next, detail: error.detail });
  }
  return { ready: reasons.length === 0, reasons };
}
