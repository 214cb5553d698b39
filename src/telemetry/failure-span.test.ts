import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { clientHello, failed, serverUntilFinished, world } from './testing/handshakes.ts';

describe('a connection that fails after its handshake', () => {
  test('adds a span with the reason below the handshake span of the side that saw it', async () => {
    const run = world();
    const server = run.server();
    await server.play(...serverUntilFinished('a'));
    server.recorder.permitted('default/web-to-orders');
    await server.play(500, failed('transport-reset', 'no close_notify'));
    server.recorder.end();
    const handshake = run.spans().find(({ name }) => name === 'tls.handshake')!;
    const after = run.spans().filter(({ name }) => name === 'tls.connection');
    expect(after).toHaveLength(1);
    const [span] = after;
    expect(span?.spanContext().traceId).toBe(handshake.spanContext().traceId);
    expect(span?.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId);
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
    expect(span?.attributes['error.type']).toBe('transport-reset');
    expect(handshake.status.code).toBe(SpanStatusCode.UNSET);
    expect(run.telemetry.recent()).toHaveLength(1);
  });

  test('is told once, and not for a handshake that failed itself', async () => {
    const run = world();
    const client = run.client();
    await client.play(clientHello('b'), failed('transport-reset'), failed('transport-reset'));
    client.recorder.end();
    expect(run.spans().filter(({ name }) => name === 'tls.connection')).toEqual([]);
  });
});
