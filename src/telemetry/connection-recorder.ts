import type { Reason } from '#handshake';
import type { Clock, Log } from '#runtime';
import { type ConnectionSummary, logConnection } from './connection-log.ts';
import type { ConnectionMeters } from './connection-meters.ts';

/** A connection when it is accepted or dialled. */
export type ConnectionSubject = Pick<ConnectionSummary, 'service' | 'direction' | 'local'> &
  Partial<Pick<ConnectionSummary, 'peerAddress' | 'destination'>>;

/** What becomes known of a connection on its way. */
export type ConnectionFacts = Partial<
  Pick<
    ConnectionSummary,
    | 'mode'
    | 'localSerial'
    | 'peer'
    | 'peerSerial'
    | 'resumption'
    | 'destination'
    | 'peerAddress'
    | 'tries'
    | 'policy'
    | 'wouldDeny'
    | 'traceId'
  >
>;

/** Follows one connection from its acceptance to its end: the gauge of open ones, the bytes, the line in the log. */
export interface ConnectionRecorder {
  /** Application bytes from the peer. Costs two additions: call it for every chunk. */
  received(bytes: number): void;
  /** Application bytes to the peer. */
  sent(bytes: number): void;
  learned(facts: ConnectionFacts): void;
  /** The end, with a reason unless it was an ordinary one. Only the first call counts. */
  closed(reason?: Reason, detail?: string): void;
}

export interface ConnectionParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: ConnectionMeters;
}

export function recordConnection(subject: ConnectionSubject, parts: ConnectionParts): ConnectionRecorder {
  const { clock, log, meters } = parts;
  const { service, direction, local, peerAddress, destination } = subject;
  const start = clock.monotonic();
  const totals = meters.opened(service, direction);
  let facts: ConnectionFacts = {
    ...(peerAddress === undefined ? {} : { peerAddress }),
    ...(destination === undefined ? {} : { destination }),
  };
  let receivedBytes = 0;
  let sentBytes = 0;
  let open = true;
  return {
    received(bytes) {
      receivedBytes += bytes;
      totals.receivedBytes += bytes;
    },
    sent(bytes) {
      sentBytes += bytes;
      totals.sentBytes += bytes;
    },
    learned(more) {
      facts = { ...facts, ...more };
    },
    closed(reason, detail) {
      if (!open) return;
      open = false;
      meters.closed(totals, reason);
      logConnection(log, {
        service,
        direction,
        local,
        peerAddress: facts.peerAddress,
        mode: facts.mode ?? 'none',
        localSerial: facts.localSerial,
        peer: facts.peer,
        peerSerial: facts.peerSerial,
        resumption: facts.resumption,
        destination: facts.destination,
        tries: facts.tries,
        policy: facts.policy,
        ...(facts.wouldDeny === undefined ? {} : { wouldDeny: facts.wouldDeny }),
        reason,
        detail,
        receivedBytes,
        sentBytes,
        durationMs: clock.monotonic() - start,
        traceId: facts.traceId,
      });
    },
  };
}
