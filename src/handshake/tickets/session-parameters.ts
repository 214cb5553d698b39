import type { ClientConfig, ServerConfig } from '../config.ts';
import { credentialList, type Credentials } from '../credentials/signer.ts';
import { LONGEST_TICKET_LIFETIME_SECONDS, MAX_OFFERED_PSKS } from '../limits.ts';
import { ConfigError } from '../parameters.ts';
import type { ExternalPsk } from './external-psk.ts';
import { SESSION_LIFETIME_MILLISECONDS } from './options.ts';

/** Throws ConfigError for sessions and external keys of a server that can't be, or that would be believed too much. */
export function checkServerSessions(config: ServerConfig): void {
  const { sessions, externalPsks = [], clientAuthentication, credential } = config;
  if (externalPsks.length > 0 && clientAuthentication.mode === 'request') {
    throw new ConfigError(
      'external keys: not on a listener that asks for certificates, as those of the mesh do',
    );
  }
  checkExternalPsks(externalPsks);
  if (sessions === undefined) return;
  checkText('identity', sessions.identity);
  checkText('binding', sessions.binding);
  requireNotAfter(credential);
  const { lifetimeMilliseconds = SESSION_LIFETIME_MILLISECONDS, earlyData } = sessions;
  checkRange('lifetimeMilliseconds', lifetimeMilliseconds, 1000, LONGEST_TICKET_LIFETIME_SECONDS * 1000);
  checkRange('automaticTickets', sessions.automaticTickets ?? 0, 0, MOST_TICKETS_AT_ONCE);
  if (earlyData !== undefined) checkRange('earlyData.maxBytes', earlyData.maxBytes, 1, MOST_EARLY_DATA);
}

/** Likewise for a client. */
export function checkClientSessions(config: ClientConfig): void {
  const { sessions, externalPsks = [], credential, earlyData = false } = config;
  if (externalPsks.length > 0 && (sessions !== undefined || credential !== undefined)) {
    throw new ConfigError('external keys: not together with a certificate or sessions');
  }
  checkExternalPsks(externalPsks);
  if (earlyData && sessions === undefined) throw new ConfigError('early data: only with sessions');
  if (sessions !== undefined && credential !== undefined) requireNotAfter(credential);
}

/** More tickets in one flight serve nobody: a client keeps a few for each destination. */
export const MOST_TICKETS_AT_ONCE = 8;
/** Early data waits in memory until the application takes it. */
const MOST_EARLY_DATA = 2 ** 20;
const LEAST_EXTERNAL_KEY = 16;

function requireNotAfter(credential: Credentials): void {
  if (credentialList(credential).some(({ notAfter }) => notAfter === undefined)) {
    throw new ConfigError('sessions: the credential must say when its certificate ends (notAfter)');
  }
}

function checkText(what: string, value: string): void {
  if (!/^[\x21-\x7e]{1,4096}$/.test(value)) {
    throw new ConfigError(`sessions: ${what}: want 1 to 4096 printable ASCII characters without spaces`);
  }
}

function checkRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new ConfigError(`sessions: ${what} of ${value}: want ${least} to ${most}`);
  }
}

function checkExternalPsks(externalPsks: readonly ExternalPsk[]): void {
  // Each stands for one imported key a hash, and a peer looks at so many.
  if (externalPsks.length > MAX_OFFERED_PSKS / 2) {
    throw new ConfigError(`external keys: at most ${MAX_OFFERED_PSKS / 2}`);
  }
  for (const { identity, key, context } of externalPsks) {
    if (identity.length < 1 || identity.length > 1024 || context.length > 1024) {
      throw new ConfigError(
        'external keys: want an identity of 1 to 1024 bytes and a context of at most 1024',
      );
    }
    // RFC 9257 6: at least 128 bits of entropy, or the key can be guessed from one recorded binder.
    if (key.length < LEAST_EXTERNAL_KEY || key.every((byte) => byte === 0)) {
      throw new ConfigError(`external keys: want at least ${LEAST_EXTERNAL_KEY} bytes, not all zero`);
    }
  }
}
