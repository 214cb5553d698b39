import { generateKeyPairSync } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import {
  ClientConnection,
  type Credential,
  type PeerVerifier,
  REASONS,
  ServerConnection,
  type ServerConfig,
} from '#handshake';
import { nodeProvider, nodeSigner } from '#handshake/crypto';
import { err, ok } from '#runtime';
import { type Side, type World, world } from './testing/handshakes.ts';

/** The engine knows no X.509: here a certificate is the bare public key. */
function credential(): Credential {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { chain: [publicKey.export({ type: 'spki', format: 'der' })], signer: nodeSigner(privateKey) };
}

function believing(identity: string): PeerVerifier {
  return {
    verify: ({ chain }) =>
      ok({
        publicKey: chain[0]!,
        keyType: 'ec-p256',
        identity,
        serial: '01',
        notAfter: Date.UTC(2026, 0, 2),
      }),
  };
}

interface Pair {
  readonly run: World;
  readonly client: Side;
  readonly server: Side;
  readonly ends: { readonly client: ClientConnection; readonly server: ServerConnection };
}

/** Two engines that talk in memory until both are silent. */
async function converse(change: Partial<ServerConfig> = {}): Promise<Pair> {
  const run = world();
  const [client, server] = [run.client(), run.server()];
  const config = { crypto: nodeProvider, alpn: ['sallyport/1'] };
  const ends = {
    client: new ClientConnection(
      {
        ...config,
        credential: credential(),
        verifier: believing('spiffe://shop/orders'),
        serverName: 'p8080.shop',
      },
      client.recorder.observe,
    ),
    server: new ServerConnection(
      {
        ...config,
        credential: credential(),
        clientAuthentication: { mode: 'request', required: true, verifier: believing('spiffe://shop/web') },
        ...change,
      },
      server.recorder.observe,
    ),
  };
  await talk(ends);
  return { run, client, server, ends };
}

async function talk({ client, server }: Pair['ends']): Promise<void> {
  for (let silent = false; !silent; ) {
    silent = true;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      while (from.pending !== undefined) from.resume(await from.pending.run());
      const bytes = from.takeOutput();
      to.receive(bytes);
      if (bytes.length > 0 || to.pending !== undefined) silent = false;
    }
  }
}

function spans(
  run: World,
): Record<'client' | 'server', { traceId: string; spanId: string; parent: string | undefined }> {
  const of = (kind: SpanKind) => {
    const [span, second] = run
      .spans()
      .filter(({ name, kind: its }) => name === 'tls.handshake' && its === kind);
    expect(second).toBeUndefined();
    const { traceId, spanId } = span!.spanContext();
    return { traceId, spanId, parent: span!.parentSpanContext?.spanId };
  };
  return { client: of(SpanKind.CLIENT), server: of(SpanKind.SERVER) };
}

function expectOneTrace(run: World): void {
  const { client, server } = spans(run);
  expect(server.traceId).toBe(client.traceId);
  expect(server.parent).toBe(client.spanId);
}

describe('the real engine, both sides', () => {
  test('a handshake that holds is one trace with every message and operation', async () => {
    const { run, server, ends } = await converse();
    server.recorder.permitted('default/p');
    expect(run.telemetry.recent()).toHaveLength(1);
    ends.server.write(new Uint8Array(1));
    await talk(ends);
    expectOneTrace(run);
    const [serverRecord, clientRecord] = run.telemetry.recent();
    expect(clientRecord).toMatchObject({
      result: 'ok',
      peer: 'spiffe://shop/orders',
      untrusted: false,
      alpn: 'sallyport/1',
    });
    expect(serverRecord).toMatchObject({ result: 'ok', peer: 'spiffe://shop/web', serverName: 'p8080.shop' });
    const flight = [
      'client_hello',
      'server_hello',
      'encrypted_extensions',
      'certificate_request',
      'certificate',
    ].concat(['certificate_verify', 'finished', 'certificate', 'certificate_verify', 'finished']);
    for (const record of [clientRecord, serverRecord]) {
      expect(record?.messages.map(({ message }) => message)).toEqual(flight);
      const kinds = new Set(record?.operations.map(({ operation }) => operation));
      expect(kinds).toEqual(new Set(['key-exchange', 'validate-chain', 'sign', 'verify-signature']));
    }
  });

  test('a HelloRetryRequest still gives one trace', async () => {
    const { run, server, ends } = await converse({ groups: ['secp256r1'] });
    server.recorder.permitted(undefined);
    ends.server.write(new Uint8Array(1));
    await talk(ends);
    expectOneTrace(run);
    expect(run.telemetry.recent()).toMatchObject([
      { helloRetry: true },
      { helloRetry: true, group: 'secp256r1' },
    ]);
  });

  test('a refused ClientHello still gives one trace, from the client random', async () => {
    const { run } = await converse({ expectedServerName: 'p9090.shop' });
    expectOneTrace(run);
    const [server, client] = run.telemetry.recent();
    expect(server).toMatchObject({ role: 'server', reason: 'server-name-mismatch', untrusted: true });
    expect(client).toMatchObject({ role: 'client', reason: 'alert-received', untrusted: true });
    expect(client?.say).toContain('unrecognized_name');
  });

  test('a refused client certificate reaches a client that was already done', async () => {
    const refusal = { reason: REASONS['certificate-required'], detail: 'not today' };
    const { run } = await converse({
      clientAuthentication: { mode: 'request', required: true, verifier: { verify: () => err(refusal) } },
    });
    expectOneTrace(run);
    const [server, client] = run.telemetry.recent();
    expect(server).toMatchObject({ result: 'failed', reason: 'certificate-required', detail: 'not today' });
    expect(client).toMatchObject({
      result: 'failed',
      alert: { direction: 'received', name: 'certificate_required' },
    });
    expect(client?.establishedMs).toBeDefined();
  });

  test('an authorization that refuses after the handshake is told to both', async () => {
    const { run, server, ends } = await converse();
    server.recorder.refused(REASONS['certificate-required'], 'stands for a policy', 'default/p');
    ends.server.abort(REASONS['certificate-required']);
    await talk(ends);
    expectOneTrace(run);
    expect(run.telemetry.recent()).toMatchObject([
      { role: 'server', result: 'refused', alert: { direction: 'sent' } },
      { role: 'client', result: 'failed', alert: { direction: 'received' } },
    ]);
  });
});
