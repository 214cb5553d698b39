import type { Reason, SessionUse } from '#handshake';
import type { Log } from '#runtime';

/** One connection of an application through a sidecar, as its line in the log tells it. */
export interface ConnectionSummary {
  readonly service: string;
  readonly direction: 'inbound' | 'outbound';
  /** What protected it on the network; `self` never left the machine. */
  readonly mode: 'mtls' | 'tls' | 'plaintext' | 'self' | 'none';
  /** Our SPIFFE ID and the serial number of the leaf that this connection showed. */
  readonly local: string;
  readonly localSerial: string | undefined;
  /** The peer's SPIFFE ID and serial; undefined for a peer that proved none. */
  readonly peer: string | undefined;
  readonly peerSerial: string | undefined;
  /** How the two sides knew each other: `resumed` for a session of an earlier connection. Undefined before that. */
  readonly resumption: SessionUse['kind'] | undefined;
  /** Who called; or whom a call was connected to, or tried last: undefined where nobody was. */
  readonly peerAddress: string | undefined;
  readonly destination: string | undefined;
  /** How often a call was tried. */
  readonly tries: number | undefined;
  readonly policy: string | undefined;
  /** Shadow policies that would have refused it, with the rule; undefined: none. */
  readonly wouldDeny?: readonly string[] | undefined;
  /** Why it ended, undefined for an ordinary end. */
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  /** Application bytes that came from the peer, and that went to it. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  readonly traceId: string | undefined;
}

/** Writes the one line of a connection: info for an ordinary end, warn with the reason otherwise. */
export function logConnection(log: Log, summary: ConnectionSummary): void {
  const { reason, detail, durationMs, ...rest } = summary;
  const fields = { ...rest, durationMs: Math.round(durationMs * 1000) / 1000 };
  if (reason === undefined) {
    log.info('connection', fields);
    return;
  }
  const why = { reason: reason.code, blame: reason.blame, say: reason.say, next: reason.next };
  log.warn('connection', { ...fields, ...why, ...(detail ? { detail } : {}) });
}
