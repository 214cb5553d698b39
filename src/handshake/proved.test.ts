import { describe, expect, it } from 'vitest';
import { credentialOf, credentialWith, FakeVerifier, identity } from './testing/credentials.ts';
import { exchange, makePair } from './testing/pair.ts';
import { Acquaintances } from './testing/sessions.ts';
import type { VerifiedPeer } from './verify/peer-verifier.ts';

/** Remembers who is said to have proved the key. */
class Remembering extends FakeVerifier {
  readonly provedPeers: VerifiedPeer[] = [];

  proved(peer: VerifiedPeer): void {
    this.provedPeers.push(peer);
  }
}

const [client, server] = [identity('client'), identity('server')];

describe('a verifier hears of a proof of possession', () => {
  it('once for each side, with the very peer that it answered with', () => {
    const [ofServer, ofClient] = [new Remembering([server]), new Remembering([client])];
    const pair = makePair({
      client: { credential: credentialOf(client), verifier: ofServer },
      server: {
        credential: credentialOf(server),
        clientAuthentication: { mode: 'request', required: true, verifier: ofClient },
      },
    });
    exchange(pair.client, pair.server);
    expect([pair.client.established, pair.server.established]).toEqual([true, true]);
    expect(ofServer.provedPeers).toEqual([server.peer]);
    expect(ofServer.provedPeers[0]).toBe(pair.client.peer);
    expect(ofClient.provedPeers).toEqual([client.peer]);
    expect(ofClient.provedPeers[0]).toBe(pair.server.peer);
  });

  it.each(['client', 'server'] as const)('never of a %s whose signature is of another key', (liar) => {
    const [ofServer, ofClient] = [new Remembering([server]), new Remembering([client])];
    const stranger = credentialOf(identity('stranger')).signer;
    const lying = (who: typeof client) =>
      credentialWith(who, (scheme, content) => stranger.sign(scheme, content));
    const pair = makePair({
      client: { credential: liar === 'client' ? lying(client) : credentialOf(client), verifier: ofServer },
      server: {
        credential: liar === 'server' ? lying(server) : credentialOf(server),
        clientAuthentication: { mode: 'request', required: true, verifier: ofClient },
      },
    });
    exchange(pair.client, pair.server);
    const judge = liar === 'client' ? ofClient : ofServer;
    expect(judge.shown).toHaveLength(1);
    expect(judge.provedPeers).toEqual([]);
  });

  it('not of a resumed session, where nobody signs', () => {
    const acquaintances = new Acquaintances();
    const first = acquaintances.options();
    const ofServer = new Remembering([server]);
    const pair = makePair({ ...first, client: { ...first.client, verifier: ofServer } });
    exchange(pair.client, pair.server);
    expect(pair.client.session?.kind).toBe('full');
    expect(ofServer.provedPeers).toHaveLength(1);
    const again = makePair({ ...first, client: { ...first.client, verifier: ofServer } });
    exchange(again.client, again.server);
    expect(again.client.session?.kind).toBe('resumed');
    expect(ofServer.provedPeers).toHaveLength(1);
  });
});
