import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import type { HandshakeRecord } from './handshake-record.ts';
import {
  alert,
  clientHello,
  clientUntilFinished,
  failed,
  REASONS,
  received,
  sent,
  serverHello,
  serverUntilFinished,
  takes,
  type World,
  world,
} from './testing/handshakes.ts';

const START = Date.UTC(2026, 0, 1);

/** The one span of each side; operations are told apart by their name. */
function handshakeSpans(run: World): { client: ReadableSpan; server: ReadableSpan } {
  const of = (kind: SpanKind): ReadableSpan => {
    const found = run.spans().filter((span) => span.name === 'tls.handshake' && span.kind === kind);
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  return { client: of(SpanKind.CLIENT), server: of(SpanKind.SERVER) };
}

function expectOneTrace({ client, server }: { client: ReadableSpan; server: ReadableSpan }): void {
  expect(server.spanContext().traceId).toBe(client.spanContext().traceId);
  expect(server.parentSpanContext?.spanId).toBe(client.spanContext().spanId);
  expect(client.parentSpanContext).toBeUndefined();
  expect(server.spanContext().spanId).not.toBe(client.spanContext().spanId);
}

function records(run: World): { client: HandshakeRecord; server: HandshakeRecord } {
  const all = run.telemetry.recent();
  expect(all).toHaveLength(2);
  return {
    client: all.find(({ role }) => role === 'client')!,
    server: all.find(({ role }) => role === 'server')!,
  };
}

async function succeed(run: World): Promise<void> {
  const client = run.client();
  await client.play(...clientUntilFinished('a'));
  const server = run.server();
  await server.play(...serverUntilFinished('a'));
  server.recorder.permitted('default/web-to-orders');
  client.recorder.permitted(undefined);
  await client.play(40, { type: 'confirmed' });
}

describe('a handshake that succeeds', () => {
  test('gives both sides one trace, the server below the client', async () => {
    const run = world();
    await succeed(run);
    const spans = handshakeSpans(run);
    expectOneTrace(spans);
    expect(spans.client.resource.attributes['service.name']).toBe('web');
    expect(spans.server.resource.attributes['service.name']).toBe('orders');
    expect(spans.client.status.code).toBe(SpanStatusCode.UNSET);
    expect(spans.client.attributes['sallyport.trace.untrusted']).toBe(false);
  });

  test('links to the trace in which a side without ServerHello would stand', async () => {
    const run = world();
    await succeed(run);
    const refusing = world();
    await refusing.client().play(clientHello('a'), failed('handshake-timeout'));
    const early = refusing.spans()[0]!.spanContext();
    const { client, server } = handshakeSpans(run);
    for (const span of [client, server]) {
      expect(span.links.map(({ context }) => [context.traceId, context.spanId])).toEqual([
        [early.traceId, early.spanId],
      ]);
    }
  });

  test("times the client's span to the confirmation, its duration to the Finished", async () => {
    const run = world();
    await succeed(run);
    const { client, server } = handshakeSpans(run);
    expect(hrTimeToMilliseconds(client.startTime)).toBe(START);
    // 10 ms to its Finished, 9 ms in which the server judged, 40 ms to the first record.
    expect(hrTimeToMilliseconds(client.duration)).toBe(59);
    expect(hrTimeToMilliseconds(server.duration)).toBe(9);
    expect(records(run).client).toMatchObject({
      durationMs: 10,
      establishedMs: 10,
      confirmedMs: 59,
      spanMs: 59,
    });
    expect(records(run).server).toMatchObject({
      durationMs: 9,
      confirmedMs: undefined,
      policy: 'default/web-to-orders',
    });
  });

  test('has an event for each message, in order and at its time', async () => {
    const run = world();
    await succeed(run);
    const { client } = handshakeSpans(run);
    const told = client.events.map(({ name, time, attributes }) => {
      const direction = attributes?.['sallyport.message.direction'];
      return [name, direction, hrTimeToMilliseconds(time) - START];
    });
    expect(told).toEqual([
      ['client_hello', 'sent', 1],
      ['server_hello', 'received', 3],
      ['encrypted_extensions', 'received', 4],
      ['certificate_request', 'received', 4],
      ['certificate', 'received', 4],
      ['certificate_verify', 'received', 7],
      ['finished', 'received', 8],
      ['certificate', 'sent', 8],
      ['certificate_verify', 'sent', 10],
      ['finished', 'sent', 10],
      ['established', undefined, 10],
      ['confirmed', undefined, 59],
    ]);
  });

  test('has a child span for each operation', async () => {
    const run = world();
    await succeed(run);
    const { client } = handshakeSpans(run);
    const children = run
      .spans()
      .filter((span) => span.parentSpanContext?.spanId === client.spanContext().spanId);
    const operations = children.filter((span) => span.kind === SpanKind.INTERNAL);
    expect(operations.map((span) => [span.name, hrTimeToMilliseconds(span.duration)])).toEqual([
      ['tls.key_exchange', 1],
      ['tls.key_exchange', 1],
      ['tls.validate_chain', 3],
      ['tls.verify_signature', 1],
      ['tls.sign', 2],
    ]);
    expect(new Set(operations.map((span) => span.spanContext().traceId))).toEqual(
      new Set([client.spanContext().traceId]),
    );
  });

  test('says who spoke with whom and what was agreed', async () => {
    const run = world();
    await succeed(run);
    const { client, server } = handshakeSpans(run);
    expect(client.attributes).toMatchObject({
      'tls.protocol.version': '1.3',
      'tls.cipher': 'TLS_AES_128_GCM_SHA256',
      'tls.curve': 'x25519',
      'tls.next_protocol': 'sallyport/1',
      'tls.established': true,
      'tls.server.not_after': '2026-01-02T00:00:00.000Z',
      'server.address': 'orders',
      'server.port': 8080,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': 15006,
      'sallyport.local.identity': 'spiffe://shop/ns/default/sa/web',
      'sallyport.peer.identity': 'spiffe://shop/ns/default/sa/orders',
      'sallyport.peer.serial': '0a01',
      'sallyport.result': 'ok',
    });
    expect(server.attributes).toMatchObject({ 'client.address': '::1', 'client.port': 40312 });
    expect(client.attributes).not.toHaveProperty('error.type');
  });

  test('is plain JSON', async () => {
    const run = world();
    await succeed(run);
    const { client } = records(run);
    expect(JSON.parse(JSON.stringify(client))).toEqual(client);
    expect(client.sequence).toBe(2);
  });
});

test('HelloRetryRequest: the trace id rests on the final ServerHello', async () => {
  const run = world();
  const [client, server] = [run.client(), run.server()];
  const hello = clientHello('r');
  await client.play(hello, sent('client_hello'), received('server_hello'), sent('client_hello'));
  const before = client.recorder.traceId;
  await client.play(
    received('server_hello'),
    serverHello('r', true),
    { type: 'established' },
    { type: 'confirmed' },
  );
  await server.play(hello, received('client_hello'), sent('server_hello'), received('client_hello'));
  await server.play(sent('server_hello'), serverHello('r', true), { type: 'established' });
  server.recorder.permitted('p');
  expectOneTrace(handshakeSpans(run));
  expect(records(run).client).toMatchObject({ helloRetry: true, early: { traceId: before } });
  expect(client.recorder.traceId).toBe(records(run).client.traceId);
});

describe('a handshake that fails', () => {
  test('the server refuses the ClientHello: one trace, from the client random alone, marked as such', async () => {
    const run = world();
    const [client, server] = [run.client(), run.server()];
    await client.play(clientHello('x'), sent('client_hello'));
    await server.play(clientHello('x'), received('client_hello'), alert('sent', 'handshake_failure', 40));
    await server.play(failed('no-common-suite', 'offered 0x1305'));
    await client.play(alert('received', 'handshake_failure', 40), failed('alert-received'));

    const spans = handshakeSpans(run);
    expectOneTrace(spans);
    for (const span of [spans.client, spans.server]) {
      expect(span.attributes).toMatchObject({
        'sallyport.trace.untrusted': true,
        'sallyport.result': 'failed',
      });
      expect(span.status.code).toBe(SpanStatusCode.ERROR);
      expect(span.links).toEqual([]);
    }
    expect(spans.server.status.message).toBe(
      'no-common-suite: The client offers no cipher suite that we accept.',
    );
    expect(spans.server.attributes).toMatchObject({
      'error.type': 'no-common-suite',
      'sallyport.reason.detail': 'offered 0x1305',
      'sallyport.reason.next': REASONS['no-common-suite'].next,
      'sallyport.alert.name': 'handshake_failure',
      'sallyport.alert.direction': 'sent',
    });
  });

  test('the server refuses the client certificate: the client has sent its Finished and learns it by alert', async () => {
    const run = world();
    const [client, server] = [run.client(), run.server()];
    await client.play(...clientUntilFinished('b'));
    expect(run.telemetry.recent()).toEqual([]);
    await server.play(clientHello('b'), serverHello('b'), ...takes('validate-chain', 3));
    await server.play(alert('sent', 'unknown_ca', 48), failed('unknown-issuer'));
    await client.play(5, alert('received', 'unknown_ca', 48), failed('alert-received', 'unknown_ca'));
    client.recorder.end();

    expectOneTrace(handshakeSpans(run));
    const record = records(run).client;
    expect(record).toMatchObject({
      result: 'failed',
      reason: 'alert-received',
      alert: { direction: 'received', name: 'unknown_ca', description: 48 },
      establishedMs: 10,
      durationMs: 18,
    });
    expect(record.say).toBe(
      'The server ended the connection with alert unknown_ca (48): our certificate leads to no root that it trusts.',
    );
    expect(record.next).toContain("server's record in the same trace");
    expect(records(run).server).toMatchObject({ reason: 'unknown-issuer', blame: 'peer', rfc: '5280#6.1' });
  });

  test('policy refuses: the handshake held, the result says refused', async () => {
    const run = world();
    const [client, server] = [run.client(), run.server()];
    await client.play(...clientUntilFinished('c'));
    await server.play(...serverUntilFinished('c'));
    server.recorder.refused(REASONS['denied-by-policy'], 'web may not call orders', 'default/orders-callers');
    await server.play(alert('sent', 'access_denied', 49), failed('denied-by-policy'));
    server.recorder.end();
    await client.play(alert('received', 'access_denied', 49), failed('alert-received'));

    const spans = handshakeSpans(run);
    expectOneTrace(spans);
    expect(spans.server.attributes).toMatchObject({
      'sallyport.result': 'refused',
      'error.type': 'denied-by-policy',
      'sallyport.policy': 'default/orders-callers',
      'sallyport.alert.name': 'access_denied',
    });
    expect(records(run).client.say).toContain('its policy does not let us in');
  });

  test('a timeout after the ServerHello was lost: two traces, and a link from one to the other', async () => {
    const run = world();
    const [client, server] = [run.client(), run.server()];
    await server.play(clientHello('t'), received('client_hello'), serverHello('t'), sent('server_hello'));
    await client.play(clientHello('t'), sent('client_hello'), 5_000, failed('handshake-timeout'));
    await server.play(failed('handshake-timeout'));
    const spans = handshakeSpans(run);
    const { traceId, spanId } = spans.client.spanContext();
    expect(spans.server.spanContext().traceId).not.toBe(traceId);
    expect(spans.server.links[0]?.context).toMatchObject({ traceId, spanId });
    expect(hrTimeToMilliseconds(spans.client.duration)).toBe(5_000);
  });

  test('the transport dies before a ClientHello came: a trace of its own', async () => {
    const run = world();
    await run.server().play(failed('transport-reset'));
    const span = run.spans()[0]!;
    expect(span.spanContext().traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.attributes).toMatchObject({
      'sallyport.trace.untrusted': true,
      'error.type': 'transport-reset',
    });
  });

  test('the transport dies after the Finished, unconfirmed: the client counts it as failed', async () => {
    const run = world();
    const client = run.client();
    await client.play(...clientUntilFinished('d'), failed('transport-reset'));
    expect(run.telemetry.recent()).toMatchObject([{ result: 'failed', reason: 'transport-reset' }]);
  });

  test('an operation that never ended lasts until the failure', async () => {
    const run = world();
    const start = { type: 'operation', operation: 'validate-chain', phase: 'start' } as const;
    await run.client().play(clientHello('o'), 2, start, 7, failed('handshake-timeout'));
    expect(run.telemetry.recent()[0]?.operations).toEqual([
      { operation: 'validate-chain', startMs: 2, durationMs: 7 },
    ]);
  });
});

describe('the end of a connection', () => {
  test('unconfirmed but established, a client ends well; a server without permit does not', async () => {
    const run = world();
    const [client, server] = [run.client(), run.server()];
    await client.play(...clientUntilFinished('e'));
    client.recorder.end();
    await server.play(...serverUntilFinished('e'));
    server.recorder.end();
    expect(records(run).client).toMatchObject({ result: 'ok', confirmedMs: undefined });
    expect(records(run).server).toMatchObject({
      result: 'failed',
      reason: 'handshake-abandoned',
      blame: 'local',
    });
  });

  test('before the handshake was done it is abandoned', async () => {
    const run = world();
    const client = run.client();
    await client.play(clientHello('f'));
    client.recorder.end();
    expect(run.telemetry.recent()).toMatchObject([{ result: 'failed', reason: 'handshake-abandoned' }]);
  });

  test('close_notify is no failure', async () => {
    const run = world();
    await run
      .client()
      .play(...clientUntilFinished('g'), alert('received', 'close_notify', 0), { type: 'closed' });
    expect(run.telemetry.recent()).toMatchObject([{ result: 'ok' }]);
  });

  test('nothing that comes after the record changes it or makes a second one', async () => {
    const run = world();
    const client = run.client();
    await client.play(...clientUntilFinished('h'), { type: 'confirmed' });
    await client.play(alert('received', 'internal_error', 80), failed('alert-received'), { type: 'closed' });
    client.recorder.refused(REASONS['denied-by-policy'], '');
    client.recorder.end();
    expect(run.telemetry.recent()).toMatchObject([{ result: 'ok', alert: undefined }]);
    expect(run.spans().filter(({ name }) => name === 'tls.handshake')).toHaveLength(1);
  });

  test('a server that is permitted before its Finished is counted when the Finished comes', async () => {
    const run = world();
    const server = run.server();
    await server.play(clientHello('i'), serverHello('i'));
    server.recorder.permitted('p');
    expect(run.telemetry.recent()).toEqual([]);
    await server.play({ type: 'established' });
    expect(run.telemetry.recent()).toMatchObject([{ result: 'ok', policy: 'p' }]);
  });
});

test('what a peer sends cannot make a record large', async () => {
  const run = world();
  const server = run.server();
  const long = 'x'.repeat(100_000);
  await server.play({ type: 'client-hello', random: new Uint8Array(32), serverName: long, alpn: [long] });
  for (let message = 0; message < 1_000; message += 1) await server.play(received('certificate', 1));
  await server.play({ type: 'alpn', protocol: long }, failed('alert-received', long));
  const [record] = run.telemetry.recent();
  expect(record).toMatchObject({ dropped: 968 });
  expect(JSON.stringify(record).length).toBeLessThan(6_000);
});
