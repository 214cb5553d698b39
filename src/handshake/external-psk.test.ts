import { describe, expect, it } from 'vitest';
import { fromAscii, toHex } from '#runtime';
import type { ClientConfig, ServerConfig } from './config.ts';
import { FakeVerifier, identity } from './testing/credentials.ts';
import { clientConfig, exchange, makePair, received, serverConfig } from './testing/pair.ts';
import { testProvider } from './testing/provider.ts';
import { sessionOf } from './testing/sessions.ts';
import { type ExternalPsk, importPsk } from './tickets/external-psk.ts';

const KEY: ExternalPsk = {
  identity: fromAscii('meter-17'),
  context: fromAscii('test'),
  key: Uint8Array.from({ length: 32 }, (_, index) => index + 1),
};

function pairOf(
  client: ExternalPsk[],
  server: ExternalPsk[],
  more: Partial<ClientConfig & ServerConfig> = {},
) {
  const { credential: _, ...rest } = clientConfig();
  const pair = makePair({
    client: { ...rest, credential: undefined as never, externalPsks: client, ...more },
    server: { clientAuthentication: { mode: 'none' }, externalPsks: server, ...more },
  });
  exchange(pair.client, pair.server);
  return pair;
}

describe('a key from outside (RFC 9258)', () => {
  it.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const)(
    'stands for certificates with %s',
    (suite) => {
      const pair = pairOf([KEY], [KEY], { suites: [suite] });
      for (const events of [pair.clientEvents, pair.serverEvents]) {
        expect(sessionOf(events)).toMatchObject({ kind: 'external', declined: undefined });
        expect(events.some((event) => event.type === 'message' && event.message === 'certificate')).toBe(
          false,
        );
      }
      expect(pair.client.peer).toBeUndefined();
      expect(pair.server.peer).toBeUndefined();
      pair.client.write(Buffer.from('ping'));
      exchange(pair.client, pair.server);
      expect(Buffer.from(received(pair.server)).toString()).toBe('ping');
    },
  );

  it('is found among several, over a retry too', () => {
    const other = { ...KEY, identity: fromAscii('other'), key: new Uint8Array(32).fill(7) };
    const groups = { groups: ['x25519', 'secp256r1'] } as const;
    const { credential: _, ...rest } = clientConfig(groups);
    const pair = makePair({
      client: { ...rest, credential: undefined as never, keyShares: ['x25519'], externalPsks: [other, KEY] },
      server: { clientAuthentication: { mode: 'none' }, externalPsks: [KEY], groups: ['secp256r1'] },
    });
    exchange(pair.client, pair.server);
    expect(sessionOf(pair.serverEvents).kind).toBe('external');
    expect(pair.client.established).toBe(true);
  });

  it.each([
    ['another identity', { identity: fromAscii('meter-18') }],
    ['another context', { context: fromAscii('live') }],
  ])('under %s is unknown: the handshake becomes a full one', (_title, change) => {
    const pair = pairOf([{ ...KEY, ...change }], [KEY]);
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'unknown-ticket' });
    expect(pair.client.peer?.identity).toBe('test:server');
  });

  it('that is another one under the same name ends the handshake (4.2.11)', () => {
    const pair = pairOf([{ ...KEY, key: new Uint8Array(32).fill(9) }], [KEY]);
    expect(pair.server.failure?.code).toBe('incorrect-binder');
    expect(pair.client.established).toBe(false);
  });

  it.each([
    ['with the key is let in', [KEY], undefined],
    ['with another is told that it is not known', [{ ...KEY, identity: fromAscii('meter-18') }], ''],
    ['without one likewise', [], ''],
  ])('is all that a server without a certificate has: a client %s', (_title, externalPsks, failure) => {
    const { credential: _, ...rest } = clientConfig();
    const pair = makePair({
      client: { ...rest, credential: undefined as never, externalPsks },
      server: { clientAuthentication: { mode: 'none' }, credential: [], externalPsks: [KEY] },
    });
    exchange(pair.client, pair.server);
    expect(pair.client.established).toBe(failure === undefined);
    if (failure === undefined) return;
    expect(pair.server.failure?.code).toBe('unknown-psk-identity');
    expect(pair.client.failure).toMatchObject({ code: 'alert-received', detail: 'unknown_psk_identity' });
  });

  it('is not a ticket, and gives none', () => {
    const pair = pairOf([KEY], [KEY]);
    expect(pair.server.issueTickets(1)).toBe(0);
  });

  it('is never on a listener that asks for certificates, nor short, nor zeros', () => {
    const verifier = new FakeVerifier([identity('client')]);
    const asks = { clientAuthentication: { mode: 'request', required: true, verifier } } as const;
    const make =
      (externalPsks: ExternalPsk[], more: Partial<ServerConfig> = {}) =>
      () =>
        makePair({
          server: serverConfig({ clientAuthentication: { mode: 'none' }, externalPsks, ...more }),
        });
    expect(make([KEY], asks)).toThrow('as those of the mesh do');
    expect(make([{ ...KEY, key: KEY.key.subarray(0, 15) }])).toThrow('at least 16 bytes');
    expect(make([{ ...KEY, key: new Uint8Array(32) }])).toThrow('not all zero');
    expect(make([{ ...KEY, identity: new Uint8Array(0) }])).toThrow('identity of 1 to 1024');
    expect(make([KEY, KEY, KEY])).toThrow('at most 2');
  });

  it('becomes one key for each hash, none of which is the key itself (5.1)', () => {
    const imported = importPsk(testProvider, KEY);
    expect(imported.map(({ suite }) => suite.hash).sort()).toEqual(['sha256', 'sha384']);
    // struct ImportedIdentity: identity, context, TLS 1.3, HKDF_SHA256 or HKDF_SHA384.
    expect(imported.map((each) => toHex(each.identity))).toEqual([
      '00086d657465722d313700047465737403040001',
      '00086d657465722d313700047465737403040002',
    ]);
    const keys = [KEY.key, ...imported.map(({ secret }) => secret.expose())].map(toHex);
    expect(new Set(keys).size).toBe(3);
  });
});
