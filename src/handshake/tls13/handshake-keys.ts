import type { Secret } from '../crypto/secret.ts';
import type { Suite } from '../suites.ts';
import type { HandshakeStage } from './key-schedule.ts';

/** The secrets in use between ServerHello and Finished. */
export interface HandshakeKeys {
  readonly suite: Suite;
  readonly schedule: HandshakeStage;
  readonly clientSecret: Secret;
  readonly serverSecret: Secret;
}

/** The secrets that protect application data. */
export interface ApplicationKeys {
  readonly clientSecret: Secret;
  readonly serverSecret: Secret;
  /** What key material for others is derived from (RFC 8446 7.5). */
  readonly exporterSecret: Secret;
}
