import type { HandshakeRecord } from './handshake-record.ts';

/** A connection whose handshake went well and which ended with an error all the same. */
export interface ConnectionFailure
  extends Pick<
    HandshakeRecord,
    'traceId' | 'spanId' | 'service' | 'local' | 'peer' | 'peerSerial' | 'peerAddress' | 'startTime'
  > {
  /** From the start of the handshake to the failure. */
  readonly durationMs: number;
  readonly reason: string;
  readonly blame: HandshakeRecord['blame'];
  readonly rfc: string;
  readonly say: string;
  readonly next: string;
  readonly detail: string | undefined;
}
