import type { AlertName } from './alert.ts';
import type { Weakness } from './legacy/weaknesses.ts';
import type { GroupName } from './groups.ts';
import type { MessageName } from './messages/names.ts';
import type { SessionUse } from './port.ts';
import type { TlsError } from './reason.ts';
import type { SchemeName } from './schemes.ts';
import type { SuiteName } from './suites.ts';
import type { EarlyDataDecline, SessionDecline } from './tickets/decline.ts';
import type { VerifiedPeer } from './verify/peer-verifier.ts';

export type Operation = 'key-exchange' | 'validate-chain' | 'sign' | 'verify-signature';

/**
 * What a connection tells its observer, in order, as it happens. The engine has no clock: who wants times takes them
 * when an event arrives.
 */
export type ConnectionEvent =
  | {
      readonly type: 'message';
      readonly direction: 'sent' | 'received';
      readonly message: MessageName;
      readonly length: number;
    }
  /** The (first) ClientHello, sent or received: its random and what it asks for. */
  | {
      readonly type: 'client-hello';
      readonly random: Uint8Array;
      readonly serverName: string | undefined;
      readonly alpn: readonly string[];
    }
  /** The final ServerHello (not a HelloRetryRequest), sent or received. From here both sides derive one trace id. */
  | {
      readonly type: 'server-hello';
      readonly random: Uint8Array;
      readonly suite: SuiteName;
      readonly group: GroupName;
      readonly helloRetry: boolean;
    }
  /** How the two sides know each other; `declined` if a session was offered or kept, and not used. */
  | SessionEvent
  /** Server only: what a client offered beside something good. It was passed over (legacy/weaknesses.ts). */
  | { readonly type: 'weak-offer'; readonly weaknesses: readonly Weakness[] }
  | { readonly type: 'alpn'; readonly protocol: string | undefined }
  /** Time-consuming work; `end` always follows `start`. */
  | { readonly type: 'operation'; readonly operation: Operation; readonly phase: 'start' | 'end' }
  /** `scheme` is undefined in a resumed handshake: the peer's chain was believed anew, and nothing was signed. */
  | { readonly type: 'peer-verified'; readonly peer: VerifiedPeer; readonly scheme: SchemeName | undefined }
  /** Client: our Finished is sent. Server: the client's Finished held. Application data may flow. */
  | { readonly type: 'established' }
  /** Client only: the first authenticated record after our Finished came; the server has believed us. */
  | { readonly type: 'confirmed' }
  | { readonly type: 'key-update'; readonly direction: 'sent' | 'received' }
  | {
      readonly type: 'alert';
      readonly direction: 'sent' | 'received';
      readonly alert: AlertName | undefined;
      readonly description: number;
    }
  /** The connection failed; nothing follows. */
  | { readonly type: 'failed'; readonly error: TlsError }
  /** Both directions ended with close_notify; nothing follows. */
  | { readonly type: 'closed' };

export interface SessionEvent {
  readonly type: 'session';
  readonly use: SessionUse;
  readonly declined: SessionDecline | undefined;
  readonly earlyDeclined: EarlyDataDecline | undefined;
}

export type Observer = (event: ConnectionEvent) => void;

export const ignoreEvents: Observer = () => undefined;
