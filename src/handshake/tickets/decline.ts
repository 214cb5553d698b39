import type { EarlyDecline } from './anti-replay.ts';

/**
 * Why a session that was offered, or could have been, did not come about; the handshake was a full one then. What a
 * metric counts: a closed list.
 */
export type SessionDecline =
  /** Server: the client offers no key exchange with the session's key, so its secrecy would hang on a ticket key. */
  | 'no-dhe-mode'
  /** Server: sealed by another pod, under a key that is gone, or changed. */
  | 'unknown-ticket'
  | 'expired'
  | 'other-version'
  | 'other-suite'
  | 'other-alpn'
  | 'other-server-name'
  | 'other-identity'
  /** Trust bundle or policy is not what it was. */
  | 'other-binding'
  /** The listener asks for more, or for less, than it did. */
  | 'other-demand'
  /** The verifier does not believe the peer's certificates of then today. */
  | 'peer-refused'
  /** Client: the server made a full handshake of it. */
  | 'server-declined';

/** Why early data was refused although a session came about, or might have. */
export type EarlyDataDecline =
  | EarlyDecline
  | 'other-worker'
  | 'not-enabled'
  | 'not-first'
  | 'retry'
  | 'no-session'
  | 'server-declined';
