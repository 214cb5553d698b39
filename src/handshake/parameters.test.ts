import { describe, expect, it } from 'vitest';
import { ClientConnection, ServerConnection } from './connection.ts';
import { ignoreEvents } from './events.ts';
import { ConfigError } from './parameters.ts';
import { testProvider } from './testing/provider.ts';
import { credentialOf, identity } from './testing/credentials.ts';
import { clientConfig, serverConfig } from './testing/pair.ts';

const BOTH = [
  ['no suites', { suites: [] }],
  ['no groups', { groups: [] }],
  ['no schemes', { schemes: [] }],
  ['a suite twice', { suites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'] }],
  ['an empty protocol', { alpn: [''] }],
  ['a protocol of 256 bytes', { alpn: ['x'.repeat(256)] }],
  ['no records per key', { recordsPerKey: 0 }],
  ['half a record per key', { recordsPerKey: 0.5 }],
  ['not a number of records per key', { recordsPerKey: Number.NaN }],
] as const;

describe('a configuration is refused by an exception for', () => {
  it.each(BOTH)('%s', (_title, overrides) => {
    const wrong = overrides as object;
    expect(() => new ClientConnection(clientConfig(wrong), ignoreEvents)).toThrow(ConfigError);
    expect(() => new ServerConnection(serverConfig(wrong), ignoreEvents)).toThrow(ConfigError);
  });

  it.each(['10.0.0.1', '::1', 'a..b', '.a', 'a.', 'ä.test', 'a b', '', 'a\0b', 'x'.repeat(256)])(
    'server name "%s" (RFC 6066 3)',
    (serverName) => {
      expect(() => new ClientConnection(clientConfig({ serverName }), ignoreEvents)).toThrow(ConfigError);
      const config = serverConfig({ expectedServerName: serverName });
      expect(() => new ServerConnection(config, ignoreEvents)).toThrow(ConfigError);
    },
  );

  it.each([
    ['a share of a group that is not allowed', { groups: ['x25519'], keyShares: ['secp256r1'] }],
    ['two shares of one group', { keyShares: ['x25519', 'x25519'] }],
    ['no certificate schemes', { certificateSchemes: [] }],
  ])('%s', (_title, overrides) => {
    const wrong = overrides as object;
    expect(() => new ClientConnection(clientConfig(wrong), ignoreEvents)).toThrow(ConfigError);
  });

  it.each([
    ['group', { groups: ['X25519MLKEM768'] }, 'does not offer X25519MLKEM768'],
    ['suite', { suites: ['TLS_AES_128_GCM_SHA256'] }, 'does not offer TLS_AES_128_GCM_SHA256'],
    ['scheme', { schemes: ['ed25519', 'rsa_pss_pss_sha256'] }, 'does not offer rsa_pss_pss_sha256'],
  ])('a %s that the provider does not offer', (_title, overrides, message) => {
    const { mlkem768: _mlKem, ...kems } = testProvider.kems;
    const crypto = {
      ...testProvider,
      kems,
      suites: ['TLS_AES_256_GCM_SHA384'],
      schemes: ['ed25519'],
    };
    const wrong = { crypto, ...overrides } as object;
    expect(() => new ClientConnection(clientConfig(wrong), ignoreEvents)).toThrow(message);
    expect(() => new ServerConnection(serverConfig(wrong), ignoreEvents)).toThrow(message);
  });

  it('a server without a certificate', () => {
    const credential = { ...credentialOf(identity('server')), chain: [] };
    expect(() => new ServerConnection(serverConfig({ credential }), ignoreEvents)).toThrow(ConfigError);
  });
});
