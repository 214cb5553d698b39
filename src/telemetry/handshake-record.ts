import type {
  Blame,
  GroupName,
  MessageName,
  Operation,
  SchemeName,
  SessionDecline,
  SessionUse,
  SuiteName,
} from '#handshake';

/** Which handshake a recorder follows. Known before the first byte. */
export interface HandshakeSubject {
  readonly role: 'client' | 'server';
  /** Name of the service whose sidecar takes part; `service.name` of the span. */
  readonly service: string;
  /** Our own SPIFFE ID. */
  readonly local: string;
  /** The transport's other end, `address:port` (an IPv6 address in brackets). */
  readonly peerAddress: string;
  /** What the application called, `service:port`. */
  readonly destination?: string;
}

/** One step that takes time, in milliseconds after the handshake's start. */
export interface OperationTime {
  readonly operation: Operation;
  readonly startMs: number;
  readonly durationMs: number;
}

/** One handshake message. `length` is in bytes, with the 4-byte header where the engine counts it. */
export interface MessageTime {
  readonly direction: 'sent' | 'received';
  readonly message: MessageName;
  readonly atMs: number;
  readonly length: number;
}

export interface AlertSeen {
  readonly direction: 'sent' | 'received';
  /** RFC 8446 6.2 name, or `unknown` for a number that no RFC known here assigns. */
  readonly name: string;
  readonly description: number;
}

/**
 * One handshake as one side saw it. Plain and JSON-safe: what the CLI, the tests and the span exporter read. An absent
 * value is undefined here and missing in JSON. Nothing in it is secret; text that a peer chose is cut to a bound.
 */
export interface HandshakeRecord {
  /** Counts the records of one process from 1, so that a reader can ask for what is newer. */
  readonly sequence: number;
  readonly role: 'client' | 'server';
  readonly service: string;
  /** Our SPIFFE ID. */
  readonly local: string;
  /** The peer's identity; undefined until its certificate was believed. */
  readonly peer: string | undefined;
  /** Serial number of the peer's leaf, lower-case hexadecimal. */
  readonly peerSerial: string | undefined;
  /** End of the peer's leaf, milliseconds since the Unix epoch. */
  readonly peerNotAfter: number | undefined;
  /** `address:port` of the transport's other end. */
  readonly peerAddress: string;
  /** `service:port` that the application called (client side). */
  readonly destination: string | undefined;
  /** Server name in the ClientHello. On a server this is the peer's claim, believed by nobody. */
  readonly serverName: string | undefined;

  /** Milliseconds since the Unix epoch. */
  readonly startTime: number;
  /** To `established`; for a handshake that failed, to the failure. This is what the histogram counts. */
  readonly durationMs: number;
  /** To `established` (both sides' Finished sent or verified); undefined if it did not come so far. */
  readonly establishedMs: number | undefined;
  /** Client: to the first record that shows that the server believed us. */
  readonly confirmedMs: number | undefined;
  /** How long the span was open: a client's ends with the confirmation, a server's with the permit or refusal. */
  readonly spanMs: number;

  /** `refused`: the handshake held, authorization said no. */
  readonly result: 'ok' | 'failed' | 'refused';
  /** Code of the reason, undefined for `ok`; the same code as in the log, the metric and the docs. */
  readonly reason: string | undefined;
  /** One plain sentence: what happened. */
  readonly say: string | undefined;
  /** What the operator should try next. */
  readonly next: string | undefined;
  /** What this case adds to the reason. */
  readonly detail: string | undefined;
  readonly blame: Blame | undefined;
  /** Document and section that the reason rests on. */
  readonly rfc: string | undefined;
  /** The alert that ended the handshake. */
  readonly alert: AlertSeen | undefined;

  /** `1.3`; undefined before the ServerHello, like suite and group. */
  readonly version: string | undefined;
  readonly suite: SuiteName | undefined;
  readonly group: GroupName | undefined;
  /** Signature scheme of the peer's CertificateVerify. */
  readonly scheme: SchemeName | undefined;
  readonly helloRetry: boolean;
  /** By certificates shown now (`full`), by those of an earlier handshake (`resumed`), or by a key from outside. */
  readonly resumption: SessionUse['kind'] | undefined;
  /** Why a session that was offered, or kept, was not used. */
  readonly sessionDeclined: SessionDecline | undefined;
  /** Resumed: when the peer last proved itself with its certificate, milliseconds since the Unix epoch. */
  readonly authenticatedAt: number | undefined;
  readonly alpn: string | undefined;

  /** 32 lower-case hexadecimal digits; both sides compute the same (trace-id.ts). */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. The client's is derived from the trace id, the server's is random. */
  readonly spanId: string;
  /** Server: the client's span id. */
  readonly parentSpanId: string | undefined;
  /** The trace id rests on the client's random alone (no ServerHello seen), or on nothing: whoever repeats it lands here. */
  readonly untrusted: boolean;
  /** Where a side that saw no ServerHello put the client's span; this span links there. Undefined if that is here. */
  readonly early: { readonly traceId: string; readonly spanId: string } | undefined;

  readonly operations: readonly OperationTime[];
  readonly messages: readonly MessageTime[];
  /** Server: what a client offered beside something good, by the names of the engine. */
  readonly weakOffers?: readonly string[];
  /** Messages and operations beyond the bound of a record. */
  readonly dropped: number;
  /** Shadow policies that would have refused what was permitted, with the rule; left out: none. */
  readonly wouldDeny?: readonly string[] | undefined;
  /** Name of the policy that permitted or refused. */
  readonly policy: string | undefined;
}
