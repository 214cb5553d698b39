import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import type { Operation } from '#handshake';
import { ATTRIBUTES } from './attributes.ts';
import type { GivenIds } from './given-ids.ts';
import type { HandshakeRecord } from './handshake-record.ts';

/**
 * Turns a record into spans. It runs when the handshake is decided: only then are the trace id, the result and with it
 * the sampling decision known, so every time is given explicitly.
 */
export function emitSpans(record: HandshakeRecord, tracer: Tracer, ids: GivenIds, context: Context): void {
  const at = (milliseconds: number) => millisToHrTime(record.startTime + milliseconds);
  const options = {
    kind: record.role === 'client' ? SpanKind.CLIENT : SpanKind.SERVER,
    startTime: at(0),
    attributes: attributesOf(record),
    links: linksOf(record),
  };
  const span = ids.during(record, () => tracer.startSpan(SPAN_NAME, options, withParent(context, record)));
  if (!span.isRecording()) return;
  addEvents(span, record, at);
  for (const { operation, startMs, durationMs } of record.operations) {
    const child = tracer.startSpan(
      OPERATION_SPANS[operation],
      { startTime: at(startMs) },
      trace.setSpan(context, span),
    );
    child.end(at(startMs + durationMs));
  }
  if (record.reason !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: `${record.reason}: ${record.say ?? ''}` });
  }
  span.end(at(record.spanMs));
}

function withParent(context: Context, { role, traceId, parentSpanId }: HandshakeRecord): Context {
  if (role === 'client' || parentSpanId === undefined) return context;
  // The client decided with the same rule from the same trace id, so its flag need not travel.
  return trace.setSpanContext(context, {
    traceId,
    spanId: parentSpanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/** The trace where this handshake's other side stands if it never saw the ServerHello. */
function linksOf({ early }: HandshakeRecord): Link[] {
  if (early === undefined) return [];
  const context = { ...early, traceFlags: TraceFlags.NONE, isRemote: true };
  return [{ context, attributes: { [ATTRIBUTES.link]: 'before-server-hello' } }];
}

function addEvents(
  span: Span,
  record: HandshakeRecord,
  at: (milliseconds: number) => [number, number],
): void {
  for (const { message, direction, length, atMs } of record.messages) {
    const attributes = { [ATTRIBUTES.messageDirection]: direction, [ATTRIBUTES.messageLength]: length };
    span.addEvent(message, attributes, at(atMs));
  }
  if (record.establishedMs !== undefined) span.addEvent('established', at(record.establishedMs));
  if (record.confirmedMs !== undefined) span.addEvent('confirmed', at(record.confirmedMs));
  if (record.alert !== undefined) span.addEvent('alert', alertAttributes(record), at(record.spanMs));
}

function attributesOf(record: HandshakeRecord): Attributes {
  const client = record.role === 'client';
  const peer = splitAddress(record.peerAddress);
  const called = record.destination === undefined ? undefined : splitAddress(record.destination);
  const notAfter =
    record.peerNotAfter === undefined ? undefined : new Date(record.peerNotAfter).toISOString();
  // The SDK leaves out attributes without a value.
  return {
    [ATTRIBUTES.transport]: 'tcp',
    [ATTRIBUTES.peerAddress]: peer.address,
    [ATTRIBUTES.peerPort]: peer.port,
    ...(client
      ? {
          [ATTRIBUTES.serverAddress]: called?.address ?? peer.address,
          [ATTRIBUTES.serverPort]: called?.port ?? peer.port,
        }
      : { [ATTRIBUTES.clientAddress]: peer.address, [ATTRIBUTES.clientPort]: peer.port }),
    [ATTRIBUTES.protocol]: 'tls',
    [ATTRIBUTES.version]: record.version,
    [ATTRIBUTES.suite]: record.suite,
    [ATTRIBUTES.group]: record.group,
    [ATTRIBUTES.alpn]: record.alpn,
    [ATTRIBUTES.established]: record.establishedMs !== undefined,
    [ATTRIBUTES.resumed]: record.resumption === undefined ? undefined : record.resumption === 'resumed',
    [ATTRIBUTES.resumption]: record.resumption,
    [ATTRIBUTES.sessionDeclined]: record.sessionDeclined,
    [client ? ATTRIBUTES.serverNotAfter : ATTRIBUTES.clientNotAfter]: notAfter,
    [ATTRIBUTES.service]: record.service,
    [ATTRIBUTES.localIdentity]: record.local,
    [ATTRIBUTES.peerIdentity]: record.peer,
    [ATTRIBUTES.peerSerial]: record.peerSerial,
    [ATTRIBUTES.destination]: record.destination,
    [ATTRIBUTES.serverName]: record.serverName,
    [ATTRIBUTES.scheme]: record.scheme,
    [ATTRIBUTES.helloRetry]: record.helloRetry,
    [ATTRIBUTES.handshakeMs]: record.durationMs,
    [ATTRIBUTES.result]: record.result,
    [ATTRIBUTES.policy]: record.policy,
    [ATTRIBUTES.wouldDeny]: record.wouldDeny,
    [ATTRIBUTES.errorType]: record.reason,
    [ATTRIBUTES.blame]: record.blame,
    [ATTRIBUTES.rfc]: record.rfc,
    [ATTRIBUTES.say]: record.say,
    [ATTRIBUTES.next]: record.next,
    [ATTRIBUTES.detail]: record.detail,
    ...alertAttributes(record),
    [ATTRIBUTES.untrusted]: record.untrusted,
  };
}

function alertAttributes({ alert }: HandshakeRecord): Attributes {
  if (alert === undefined) return {};
  return {
    [ATTRIBUTES.alert]: alert.name,
    [ATTRIBUTES.alertDescription]: alert.description,
    [ATTRIBUTES.alertDirection]: alert.direction,
  };
}

/** `address:port`, `[address]:port`, or an address alone. */
function splitAddress(text: string): { address: string; port: number | undefined } {
  const [, v6, host, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  return { address: v6 ?? host ?? text, port: port === undefined ? undefined : Number(port) };
}

const SPAN_NAME = 'tls.handshake';

const OPERATION_SPANS = {
  'key-exchange': 'tls.key_exchange',
  'validate-chain': 'tls.validate_chain',
  sign: 'tls.sign',
  'verify-signature': 'tls.verify_signature',
} as const satisfies Record<Operation, string>;
