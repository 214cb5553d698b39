import { describe, expect, it } from 'vitest';
import type { ClientConfig, ServerConfig } from './config.ts';
import { DEFAULT_GROUPS } from './groups.ts';
import { decodeClientHello } from './messages/client-hello.ts';
import { MESSAGE_HEADER_LENGTH } from './messages/message.ts';
import { HEADER_LENGTH } from './record/header.ts';
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

  it('and by default the hybrid group, whose share a client sends beside X25519', () => {
    const defaults = { groups: DEFAULT_GROUPS };
    const pair = makePair({ client: defaults, server: defaults });
    const hello = decodeClientHello(pair.client.takeOutput().subarray(HEADER_LENGTH + MESSAGE_HEADER_LENGTH));
    expect(hello.groups).toEqual([0x11ec, 0x001d, 0x0017, 0x0018]);
    expect(hello.keyShares?.map(({ group }) => group)).toEqual([0x11ec, 0x001d]);
    const again = makePair({ client: defaults, server: defaults });
    exchange(again.client, again.server);
    expect(chosen(again.serverEvents)).toMatchObject({ group: 'X25519MLKEM768', helloRetry: false });
  });

  it.each<[string, Partial<ClientConfig>, Partial<ServerConfig>, object]>([
    [
      'a server without ML-KEM takes the other share',
      {},
      { groups: ['secp256r1', 'x25519'] },
      { group: 'x25519', helloRetry: false },
    ],
    [
      'a client that could but sent no such share is asked for it',
      { keyShares: ['x25519'] },
      {},
      { group: 'X25519MLKEM768', helloRetry: true },
    ],
    [
      'also by a server that would rather have another',
      { keyShares: ['secp256r1'] },
      { groups: ['secp256r1', 'X25519MLKEM768'] },
      { group: 'X25519MLKEM768', helloRetry: true },
    ],
    ['a client without shares is asked for the best', { keyShares: [] }, {}, { group: 'X25519MLKEM768' }],
  ])(
    'and no group that a quantum computer breaks, if there is another: %s',
    (_title, client, server, group) => {
      const pair = makePair({
        client: { groups: DEFAULT_GROUPS, ...client },
        server: { groups: DEFAULT_GROUPS, ...server },
      });
      exchange(pair.client, pair.server);
      expect(pair.client.established && pair.server.established).toBe(true);
      expect(chosen(pair.clientEvents)).toMatchObject(group);
    },
  );

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
