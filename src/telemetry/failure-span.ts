import { type Context, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import { ATTRIBUTES } from './attributes.ts';
import type { ConnectionFailure } from './connection-failure.ts';

/** A span below this side's handshake span, as long as the connection lived, with what ended it. */
export function emitFailureSpan(failure: ConnectionFailure, tracer: Tracer, context: Context): void {
  const { traceId, spanId, startTime, durationMs, reason, say } = failure;
  const parent = trace.setSpanContext(context, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  const attributes = {
    [ATTRIBUTES.service]: failure.service,
    [ATTRIBUTES.localIdentity]: failure.local,
    [ATTRIBUTES.peerIdentity]: failure.peer,
    [ATTRIBUTES.peerSerial]: failure.peerSerial,
    [ATTRIBUTES.errorType]: reason,
    [ATTRIBUTES.blame]: failure.blame,
    [ATTRIBUTES.rfc]: failure.rfc,
    [ATTRIBUTES.say]: say,
    [ATTRIBUTES.next]: failure.next,
    [ATTRIBUTES.detail]: failure.detail,
  };
  const span = tracer.startSpan(SPAN_NAME, { startTime: millisToHrTime(startTime), attributes }, parent);
  span.setStatus({ code: SpanStatusCode.ERROR, message: `${reason}: ${say}` });
  span.end(millisToHrTime(startTime + durationMs));
}

const SPAN_NAME = 'tls.connection';
