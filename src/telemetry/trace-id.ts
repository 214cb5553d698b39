import { createHash } from 'node:crypto';

/** Where one handshake's spans go. All ids in lower-case hexadecimal. */
export interface TraceIds {
  readonly traceId: string;
  readonly clientSpanId: string;
  /** Only the client's random was known: one who repeats a random lands in the same trace. */
  readonly untrusted: boolean;
  /** The ids that a side without ServerHello computes for this handshake; undefined if these are those. */
  readonly early: { readonly traceId: string; readonly clientSpanId: string } | undefined;
}

/**
 * The design's rule: both sidecars compute one trace id from what both saw on the wire, nothing is added to it. The id
 * says nothing secret, since both randoms travel in the clear (RFC 8446 4.1.2, 4.1.3).
 *
 * With the final ServerHello: first 16 bytes of SHA-256("sallyport trace" || client random || server random). Neither
 * side chooses that alone. Without: SHA-256("sallyport early trace" || client random), which the client does choose.
 */
export function traceIds(clientRandom: Uint8Array, serverRandom: Uint8Array | undefined): TraceIds {
  const earlyTraceId = digest('sallyport early trace', TRACE_ID_BYTES, clientRandom);
  const early = { traceId: earlyTraceId, clientSpanId: clientSpanId(earlyTraceId) };
  if (serverRandom === undefined) return { ...early, untrusted: true, early: undefined };
  const traceId = digest('sallyport trace', TRACE_ID_BYTES, clientRandom, serverRandom);
  return { traceId, clientSpanId: clientSpanId(traceId), untrusted: false, early };
}

/** First 8 bytes of SHA-256("sallyport client span" || trace id), so that the server can name its parent. */
function clientSpanId(traceId: string): string {
  return digest('sallyport client span', SPAN_ID_BYTES, Buffer.from(traceId, 'hex'));
}

function digest(label: string, length: number, ...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(label, 'latin1');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 2 * length);
}

/** W3C Trace Context 3.2.2. */
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
