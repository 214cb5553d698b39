import { describe, expect, it } from 'vitest';
import { fromAscii } from '#runtime';
import type { ClientConfig } from '../config.ts';
import { ConfigError } from '../parameters.ts';
import { credentialOf, FakeVerifier, identity } from '../testing/credentials.ts';
import { exchange, makePair } from '../testing/pair.ts';
import type { Credential } from './signer.ts';

const EC = identity('server');
const P384 = identity('server', 'ec-p384');
const ED = identity('server', 'ed25519');
const [ours, theirs] = [fromAscii('our CA'), fromAscii('their CA')];

/** Which server certificate a client is shown; the code of the failure if it is shown none. */
function shown(credential: readonly Credential[], client: Partial<ClientConfig> = {}): Uint8Array | string {
  const verifier = new FakeVerifier([EC, P384, ED]);
  // The test pair's server expects a name; these serve several.
  const server = { credential, expectedServerName: undefined as never };
  const pair = makePair({ client: { verifier, ...client }, server });
  exchange(pair.client, pair.server);
  if (pair.server.failure !== undefined) return pair.server.failure.code;
  expect(pair.client.established).toBe(true);
  return verifier.shown[0]!.chain[0]!;
}

describe('a server with several credentials', () => {
  const both = [credentialOf(EC), credentialOf(P384)];

  it('shows the first that signs with what the client accepts (4.4.2.2)', () => {
    expect(shown(both)).toEqual(EC.chain[0]);
    expect(shown(both, { schemes: ['ecdsa_secp384r1_sha384', 'ecdsa_secp256r1_sha256'] })).toEqual(
      EC.chain[0],
    );
    expect(shown(both, { schemes: ['ecdsa_secp384r1_sha384'] })).toEqual(P384.chain[0]);
    expect(shown(both, { schemes: ['ed25519'] })).toBe('no-common-scheme');
  });

  it('shows one whose issuer the client names (4.2.4)', () => {
    const gated = [
      { ...credentialOf(EC), issuers: [theirs] },
      { ...credentialOf(P384), issuers: [ours] },
    ];
    expect(shown(gated, { certificateAuthorities: [ours] })).toEqual(P384.chain[0]);
    expect(shown(gated, { certificateAuthorities: [ours, theirs] })).toEqual(EC.chain[0]);
    expect(shown(gated, { certificateAuthorities: [fromAscii('nobody')] })).toBe('no-matching-issuer');
    expect(shown(gated)).toBe('no-matching-issuer');
    expect(shown([...gated, credentialOf(ED)])).toEqual(ED.chain[0]);
  });

  it('shows the one for the name that the client asks for (RFC 6066 3)', () => {
    const named = [
      credentialOf(ED),
      { ...credentialOf(EC), serverNames: ['a.test'] },
      { ...credentialOf(P384), serverNames: ['b.test', '*.c.test'] },
    ];
    expect(shown(named, { serverName: 'A.test' })).toEqual(EC.chain[0]);
    expect(shown(named, { serverName: 'b.test' })).toEqual(P384.chain[0]);
    expect(shown(named, { serverName: 'x.c.test' })).toEqual(P384.chain[0]);
    for (const serverName of ['c.test', 'x.y.c.test', 'other.test']) {
      expect(shown(named, { serverName })).toEqual(ED.chain[0]);
    }
    expect(shown(named.slice(1), { serverName: 'other.test' })).toBe('server-name-mismatch');
  });

  it('needs at least one, each with a certificate', () => {
    expect(() => shown([])).toThrow(ConfigError);
    expect(() => shown([{ ...credentialOf(EC), chain: [] }])).toThrow(ConfigError);
  });
});

describe('a client with credentials of which none suits', () => {
  it('ends the connection instead of appearing as nobody', () => {
    const pair = makePair({
      client: { credential: [credentialOf(identity('client', 'ed25519'))] },
      server: { schemes: ['ecdsa_secp256r1_sha256'] },
    });
    exchange(pair.client, pair.server);
    expect(pair.client.failure?.code).toBe('no-common-scheme');
    expect(pair.server.failure?.detail).toBe('handshake_failure');
  });
});
