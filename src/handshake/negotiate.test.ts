import { describe, expect, it } from 'vitest';
import type { ServerConfig } from './config.ts';
import { exchange, makePair } from './testing/pair.ts';

const chosen = (events: readonly { type: string }[]) => events.find((event) => event.type === 'server-hello');

describe('where both sides allow several, the server decides', () => {
  it.each<[string, Partial<ServerConfig>, object]>([
    [
      'its first suite',
      { suites: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] },
      { suite: 'TLS_CHACHA20_POLY1305_SHA256' },
    ],
    [
      'a group with a share before one without',
      { groups: ['secp256r1', 'x25519'] },
      { group: 'x25519', helloRetry: false },
    ],
    [
      'a group by a retry if there is no other',
      { groups: ['secp256r1'] },
      { group: 'secp256r1', helloRetry: true },
    ],
  ])('%s', (_title, server, expected) => {
    const pair = makePair({ server });
    exchange(pair.client, pair.server);
    expect(pair.client.established && pair.server.established).toBe(true);
    expect(chosen(pair.clientEvents)).toMatchObject(expected);
    expect(chosen(pair.serverEvents)).toMatchObject(expected);
  });

  it('its first protocol (RFC 7301 3.2)', () => {
    const { client, server } = makePair({ client: { alpn: ['a', 'b', 'c'] }, server: { alpn: ['c', 'b'] } });
    exchange(client, server);
    expect([client.alpn, server.alpn]).toEqual(['c', 'c']);
  });

  it('no protocol, and may ignore the offer, if it has none', () => {
    const { client, server } = makePair({ server: { alpn: [] } });
    exchange(client, server);
    expect(server.established).toBe(false);
    expect(client.failure?.code).toBe('no-common-alpn');
    expect(server.failure?.code).toBe('alert-received');
    expect(server.failure?.detail).toBe('no_application_protocol');
  });

  it('and neither asks: no protocol', () => {
    const { client, server } = makePair({ client: { alpn: [] }, server: { alpn: [] } });
    exchange(client, server);
    expect([client.established, client.alpn, server.alpn]).toEqual([true, undefined, undefined]);
  });
});

describe('where both sides allow nothing in common, both know why', () => {
  it.each<[string, Parameters<typeof makePair>[0], string, string]>([
    [
      'suites',
      { client: { suites: ['TLS_AES_128_GCM_SHA256'] }, server: { suites: ['TLS_AES_256_GCM_SHA384'] } },
      'no-common-suite',
      'handshake_failure',
    ],
    [
      'groups',
      { client: { groups: ['x25519'] }, server: { groups: ['secp256r1'] } },
      'no-common-group',
      'handshake_failure',
    ],
    ['schemes', { client: { schemes: ['ed25519'] } }, 'no-common-scheme', 'handshake_failure'],
    ['protocols', { server: { alpn: ['h2'] } }, 'no-common-alpn', 'no_application_protocol'],
    ['server names', { client: { serverName: 'p1.mesh.test' } }, 'server-name-mismatch', 'unrecognized_name'],
  ])('%s', (_title, options, code, alert) => {
    const { client, server } = makePair(options);
    exchange(client, server);
    expect(server.failure?.code).toBe(code);
    expect(client.failure?.code).toBe('alert-received');
    expect(client.failure?.detail).toBe(alert);
  });
});
