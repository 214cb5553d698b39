import {
  ALERTS,
  type ConnectionEvent,
  type Observer,
  type Reason,
  REASONS as ENGINE_REASONS,
  type SchemeName,
  type VerifiedPeer,
} from '#handshake';
import type { Clock } from '#runtime';
import type { ConnectionFailure } from './connection-failure.ts';
import { type Explanation, explainAlert, TELEMETRY_REASONS } from './explanations.ts';
import type {
  AlertSeen,
  HandshakeRecord,
  HandshakeSubject,
  MessageTime,
  OperationTime,
} from './handshake-record.ts';
import { traceIds } from './trace-id.ts';

/** Follows one handshake on one side. Its record is published once, when the handshake is decided. */
export interface HandshakeRecorder {
  /** Hand this to the TLS stream. Never throws. */
  readonly observe: Observer;
  /** Authorization said yes; `policy` is the rule's policy, `wouldDeny` what Shadow ones would have refused. Ends a server's span. */
  permitted(policy: string | undefined, wouldDeny?: readonly string[]): void;
  /** Authorization said no. Call it before the stream is told to refuse. */
  refused(reason: Reason, detail: string, policy?: string): void;
  /** Changes once, when the ServerHello is seen; undefined before the ClientHello. */
  readonly traceId: string | undefined;
  /** The connection is over: publishes the record if nothing else has. Call it always. */
  end(): void;
}

export interface RecorderParts {
  readonly clock: Clock;
  readonly ids: { generateTraceId(): string; generateSpanId(): string };
  /** Takes the record; the sequence number is its business. */
  publish(record: Omit<HandshakeRecord, 'sequence'>): void;
  /** Takes what ended the connection after its handshake was recorded as well done. */
  fail(failure: ConnectionFailure): void;
}

type Outcome = {
  readonly result: HandshakeRecord['result'];
  readonly why?: Explanation & Pick<Reason, 'code' | 'blame' | 'rfc'>;
  readonly detail?: string;
};

type AlertEvent = Extract<ConnectionEvent, { type: 'alert' }>;

type Told = Pick<ConnectionFailure, 'reason' | 'rfc' | 'say' | 'next' | 'detail'> & Pick<Reason, 'blame'>;

export function recordHandshake(subject: HandshakeSubject, parts: RecorderParts): HandshakeRecorder {
  return new Recorder(subject, parts);
}

class Recorder implements HandshakeRecorder {
  readonly observe: Observer;
  readonly #subject: HandshakeSubject;
  readonly #parts: RecorderParts;
  readonly #startTime: number;
  readonly #start: number;
  readonly #operations: OperationTime[] = [];
  readonly #running: { operation: OperationTime['operation']; startMs: number }[] = [];
  readonly #messages: MessageTime[] = [];
  #weakOffers: readonly string[] | undefined;
  #dropped = 0;
  #clientHello: Extract<ConnectionEvent, { type: 'client-hello' }> | undefined;
  #serverHello: Extract<ConnectionEvent, { type: 'server-hello' }> | undefined;
  #alpn: string | undefined;
  #verified: { peer: VerifiedPeer; scheme: SchemeName | undefined } | undefined;
  #session: Extract<ConnectionEvent, { type: 'session' }> | undefined;
  #alert: AlertSeen | undefined;
  #establishedMs: number | undefined;
  #confirmedMs: number | undefined;
  #permit: { policy: string | undefined; wouldDeny?: readonly string[] | undefined } | undefined;
  #published: string | undefined;
  /** Set once the handshake was recorded as well done: what a later failure is told with. */
  #lived: Omit<ConnectionFailure, 'durationMs' | keyof Told> | undefined;

  constructor(subject: HandshakeSubject, parts: RecorderParts) {
    this.#subject = subject;
    this.#parts = parts;
    this.#startTime = parts.clock.now();
    this.#start = parts.clock.monotonic();
    this.observe = (event) => {
      if (this.#published === undefined) this.#observe(event);
      else this.#observeLife(event);
    };
  }

  get traceId(): string | undefined {
    return (
      this.#published ??
      (this.#clientHello === undefined ? undefined : this.#ids(this.#clientHello.random).traceId)
    );
  }

  permitted(policy: string | undefined, wouldDeny?: readonly string[]): void {
    this.#permit = { policy, wouldDeny };
    if (this.#subject.role === 'server' && this.#establishedMs !== undefined) this.#publish({ result: 'ok' });
  }

  refused(reason: Reason, detail: string, policy?: string): void {
    if (this.#published !== undefined) return;
    this.#permit = { policy };
    const name = reason.alert;
    if (name !== undefined) this.#alert = { direction: 'sent', name, description: ALERTS[name] };
    this.#publish({ result: 'refused', why: reason, detail });
  }

  end(): void {
    if (this.#subject.role === 'client' && this.#establishedMs !== undefined && !isError(this.#alert)) {
      this.#publish({ result: 'ok' });
    } else {
      this.#fail(TELEMETRY_REASONS['handshake-abandoned'], '');
    }
  }

  #observe(event: ConnectionEvent): void {
    switch (event.type) {
      case 'message':
        this.#keep(this.#messages, {
          direction: event.direction,
          message: event.message,
          atMs: this.#elapsed(),
          length: event.length,
        });
        break;
      case 'client-hello':
        // Copied: the engine may reuse the buffer that the random is a view of.
        this.#clientHello = { ...event, random: Uint8Array.from(event.random) };
        break;
      case 'server-hello':
        this.#serverHello = { ...event, random: Uint8Array.from(event.random) };
        break;
      case 'alpn':
        this.#alpn = event.protocol;
        break;
      case 'operation':
        if (event.phase === 'start')
          this.#running.push({ operation: event.operation, startMs: this.#elapsed() });
        else this.#finishOperation(event.operation);
        break;
      case 'peer-verified':
        this.#verified = { peer: event.peer, scheme: event.scheme };
        break;
      case 'session':
        this.#session = event;
        break;
      case 'established':
        this.#establishedMs = this.#elapsed();
        if (this.#subject.role === 'server' && this.#permit !== undefined) this.#publish({ result: 'ok' });
        break;
      case 'confirmed':
        this.#confirmedMs = this.#elapsed();
        this.#publish({ result: 'ok' });
        break;
      case 'alert':
        this.#sawAlert(event);
        break;
      case 'failed':
        this.#fail(event.error.reason, event.error.detail);
        break;
      case 'closed':
        // A close_notify is authenticated as well: the server kept the connection to its ordinary end.
        this.end();
        break;
      case 'weak-offer':
        this.#weakOffers = event.weaknesses;
        break;
      case 'key-update':
        break;
    }
  }

  /** What counts is the alert that ended it; the close_notify that may follow must not hide it. */
  #sawAlert({ direction, alert: known, description }: AlertEvent): void {
    const alert: AlertSeen = { direction, name: known ?? 'unknown', description };
    if (this.#alert === undefined || weight(alert) > weight(this.#alert)) this.#alert = alert;
  }

  /** A peer's alert is told in words: the code says that an alert came, the sentence which, and where the cause stands. */
  #fail(reason: Reason, detail: string): void {
    const { reason: code, blame, rfc, say, next } = this.#told(reason, detail);
    this.#publish({ result: 'failed', why: { code, blame, rfc, say, next }, detail });
  }

  #told(reason: Reason, detail: string): Told {
    const alert = this.#alert;
    const telling = alert?.direction === 'received' && weight(alert) > 0;
    const { say, next } = telling ? explainAlert(alert, this.#subject.role) : reason;
    const { code, blame, rfc } = reason;
    return { reason: code, blame, rfc, say, next, detail: detail ? clip(detail, DETAIL_LENGTH) : undefined };
  }

  #publish(outcome: Outcome): void {
    if (this.#published !== undefined) return;
    const record = this.#record(outcome);
    this.#published = record.traceId;
    if (record.result === 'ok') {
      const { traceId, spanId, service, local, peer, peerSerial, peerAddress, startTime } = record;
      this.#lived = { traceId, spanId, service, local, peer, peerSerial, peerAddress, startTime };
    }
    this.#parts.publish(record);
  }

  /** After the handshake only the connection's failure is told; that this side gave it up has its line in the log. */
  #observeLife(event: ConnectionEvent): void {
    if (event.type === 'alert') this.#sawAlert(event);
    if (event.type !== 'failed' || this.#lived === undefined) return;
    const { reason, detail } = event.error;
    if (reason.code === ENGINE_REASONS['destroyed-locally'].code) return;
    const failure = { ...this.#lived, ...this.#told(reason, detail), durationMs: this.#elapsed() };
    this.#lived = undefined;
    this.#parts.fail(failure);
  }

  #record({ result, why, detail }: Outcome): Omit<HandshakeRecord, 'sequence'> {
    const spanMs = this.#elapsed();
    for (const { operation } of [...this.#running]) this.#finishOperation(operation);
    const peer = this.#verified?.peer;
    return {
      ...this.#subject,
      destination: this.#subject.destination,
      peer: clip(peer?.identity, IDENTITY_LENGTH),
      peerSerial: clip(peer?.serial, TEXT_LENGTH),
      peerNotAfter: peer?.notAfter,
      serverName: clip(this.#clientHello?.serverName, TEXT_LENGTH),
      startTime: this.#startTime,
      durationMs: result === 'failed' ? spanMs : (this.#establishedMs ?? spanMs),
      establishedMs: this.#establishedMs,
      confirmedMs: this.#confirmedMs,
      spanMs,
      result,
      reason: why?.code,
      say: why?.say,
      next: why?.next,
      detail: detail ? clip(detail, DETAIL_LENGTH) : undefined,
      blame: why?.blame,
      rfc: why?.rfc,
      alert: this.#alert,
      // The only version that this engine's suites belong to (suites.ts).
      version: this.#serverHello === undefined ? undefined : '1.3',
      suite: this.#serverHello?.suite,
      group: this.#serverHello?.group,
      scheme: this.#verified?.scheme,
      helloRetry: this.#serverHello?.helloRetry ?? false,
      resumption: this.#session?.use.kind,
      sessionDeclined: this.#session?.declined,
      authenticatedAt: this.#session?.use.authenticatedAt,
      alpn: clip(this.#alpn, TEXT_LENGTH),
      ...this.#spanIds(),
      operations: this.#operations,
      messages: this.#messages,
      ...(this.#weakOffers === undefined ? {} : { weakOffers: this.#weakOffers }),
      dropped: this.#dropped,
      policy: this.#permit?.policy,
      ...(this.#permit?.wouldDeny?.length ? { wouldDeny: this.#permit.wouldDeny } : {}),
    };
  }

  #spanIds(): Pick<HandshakeRecord, 'traceId' | 'spanId' | 'parentSpanId' | 'untrusted' | 'early'> {
    const random = this.#clientHello?.random;
    const { ids } = this.#parts;
    if (random === undefined) {
      // Not even a ClientHello: nothing that both sides know, so the span stands alone.
      const spanId = ids.generateSpanId();
      return {
        traceId: ids.generateTraceId(),
        spanId,
        parentSpanId: undefined,
        untrusted: true,
        early: undefined,
      };
    }
    const { traceId, clientSpanId, untrusted, early } = this.#ids(random);
    const own =
      this.#subject.role === 'client'
        ? { spanId: clientSpanId, parentSpanId: undefined }
        : { spanId: ids.generateSpanId(), parentSpanId: clientSpanId };
    return {
      traceId,
      ...own,
      untrusted,
      early: early && { traceId: early.traceId, spanId: early.clientSpanId },
    };
  }

  #ids(clientRandom: Uint8Array): ReturnType<typeof traceIds> {
    return traceIds(clientRandom, this.#serverHello?.random);
  }

  #finishOperation(operation: OperationTime['operation']): void {
    const index = this.#running.findLastIndex((one) => one.operation === operation);
    const [started] = index < 0 ? [] : this.#running.splice(index, 1);
    if (started === undefined) return;
    this.#keep(this.#operations, {
      ...started,
      durationMs: toMicroseconds(this.#elapsed() - started.startMs),
    });
  }

  #keep<T>(list: T[], item: T): void {
    if (list.length < LIST_LENGTH) list.push(item);
    else this.#dropped += 1;
  }

  #elapsed(): number {
    return toMicroseconds(this.#parts.clock.monotonic() - this.#start);
  }
}

/** RFC 8446 6.1: close_notify and user_canceled are closure alerts; every other one is an error, whatever its level. */
function weight({ name }: AlertSeen): 0 | 1 | 2 {
  if (name === 'close_notify') return 0;
  return name === 'user_canceled' ? 1 : 2;
}

function isError(alert: AlertSeen | undefined): boolean {
  return alert !== undefined && weight(alert) === 2;
}

function clip(text: string | undefined, length: number): string | undefined {
  return text !== undefined && text.length > length ? `${text.slice(0, length)}…` : text;
}

/** Whole microseconds, still in milliseconds: beyond that are only digits in JSON. */
function toMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** A full handshake has at most 11 messages and 4 kinds of operations; the rest of the room is for misbehaving peers. */
const LIST_LENGTH = 32;
/** SPIFFE ID section 2.3: at most 2048 bytes. */
const IDENTITY_LENGTH = 2048;
/** RFC 7301 3.1: a protocol name has at most 255 bytes. A DNS name is no longer. */
const TEXT_LENGTH = 255;
const DETAIL_LENGTH = 1024;
