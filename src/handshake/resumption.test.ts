import { describe, expect, it } from 'vitest';
import { err, ok } from '#runtime';
import { credentialOf, FakeVerifier, identity, makeIdentity, TEST_REASONS } from './testing/credentials.ts';
import { exchange, received, serverConfig } from './testing/pair.ts';
import { Acquaintances, sessionOf } from './testing/sessions.ts';
import type { PeerVerifier } from './verify/peer-verifier.ts';

const HOUR = 3_600_000;

/** A verifier whose answer can be turned, as a changed bundle or a revocation turns it. */
class TurningVerifier implements PeerVerifier {
  believes = true;
  readonly #inner = new FakeVerifier([identity('client'), identity('server')]);

  get shown() {
    return this.#inner.shown;
  }

  verify(presented: Parameters<PeerVerifier['verify']>[0]): ReturnType<PeerVerifier['verify']> {
    const verdict = this.#inner.verify(presented);
    const reason = TEST_REASONS['unknown-test-certificate'];
    return this.believes ? verdict : err({ reason, detail: 'revoked' });
  }
}

const asking = (verifier: PeerVerifier) =>
  ({ clientAuthentication: { mode: 'request', required: true, verifier } }) as const;

describe('a second connection', () => {
  it('is resumed: nobody signs, both know each other, data flows both ways', () => {
    const friends = new Acquaintances();
    const first = friends.meet();
    expect(sessionOf(first.clientEvents)).toMatchObject({ kind: 'full', declined: undefined });
    expect(friends.cache.size).toBe(2);

    const second = friends.meet();
    for (const events of [second.clientEvents, second.serverEvents]) {
      expect(sessionOf(events)).toMatchObject({ kind: 'resumed', declined: undefined, earlyData: 'none' });
      const operations = events.flatMap((event) => (event.type === 'operation' ? [event.operation] : []));
      expect(operations).not.toContain('sign');
      expect(operations).not.toContain('verify-signature');
      expect(operations).toContain('validate-chain');
    }
    expect(second.client.peer?.identity).toBe('test:server');
    expect(second.server.peer?.identity).toBe('test:client');
    expect(second.client.session?.kind).toBe('resumed');
    expect(second.clientKeys).toEqual(second.serverKeys);
    second.client.write(Buffer.from('ping'));
    second.server.write(Buffer.from('pong'));
    exchange(second.client, second.server);
    expect(Buffer.from(received(second.server)).toString()).toBe('ping');
    expect(Buffer.from(received(second.client)).toString()).toBe('pong');
    const exported = second.client.exportKeyingMaterial('EXPERIMENTAL test', 32);
    expect(second.server.exportKeyingMaterial('EXPERIMENTAL test', 32)).toEqual(exported);
    expect(first.client.exportKeyingMaterial('EXPERIMENTAL test', 32)).not.toEqual(exported);
  });

  it('is not told again that its server name is served (RFC 6066 3)', () => {
    const friends = new Acquaintances();
    const lengths = [friends.meet(), friends.meet()].map(({ clientEvents }) => {
      const came = clientEvents.find(
        (event) => event.type === 'message' && event.message === 'encrypted_extensions',
      );
      return came?.type === 'message' ? came.length : 0;
    });
    // An empty extension takes four bytes.
    expect(lengths[1]).toBe(lengths[0]! - 4);
  });

  it('is resumed again and again; the first proof of identity stays the one that counts', async () => {
    const friends = new Acquaintances();
    const start = friends.clock.now();
    friends.meet();
    for (let hour = 1; hour < 6; hour += 1) {
      await friends.clock.advance(HOUR);
      const pair = friends.meet();
      expect(sessionOf(pair.serverEvents).kind).toBe('resumed');
      expect(pair.server.session?.authenticatedAt).toBe(start);
      expect(pair.client.session?.authenticatedAt).toBe(start);
    }
    await friends.clock.advance(HOUR);
    // Six hours after the certificates were last shown, resuming every hour has not made it longer.
    const last = friends.meet();
    expect(sessionOf(last.serverEvents).kind).toBe('full');
    expect(last.server.session?.authenticatedAt).toBeUndefined();
  });

  it('is resumed over a retry, with binders over the whole first flight (4.2.11.2)', () => {
    const friends = new Acquaintances();
    const groups = { client: ['x25519', 'secp256r1'], server: ['secp256r1'] } as const;
    const way = [{ groups: groups.client, keyShares: ['x25519'] }, { groups: groups.server }] as const;
    friends.meet(...way);
    const pair = friends.meet(...way);
    expect(pair.clientEvents.find((event) => event.type === 'server-hello')).toMatchObject({
      helloRetry: true,
    });
    expect(sessionOf(pair.clientEvents).kind).toBe('resumed');
    expect(sessionOf(pair.serverEvents).kind).toBe('resumed');
  });

  it.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const)(
    'is resumed with %s',
    (suite) => {
      const friends = new Acquaintances();
      friends.meet({}, { suites: [suite] });
      expect(sessionOf(friends.meet({}, { suites: [suite] }).serverEvents).kind).toBe('resumed');
    },
  );

  it('is resumed without client certificates, and where they are asked for but not shown', () => {
    const none = { clientAuthentication: { mode: 'none' } } as const;
    const verifier = new FakeVerifier([identity('client')]);
    const optional = { clientAuthentication: { mode: 'request', required: false, verifier } } as const;
    for (const server of [none, optional]) {
      const friends = new Acquaintances();
      const { credential: _, ...anonymous } = { credential: undefined };
      friends.meet(anonymous, server);
      const pair = friends.meet(anonymous, server);
      expect(sessionOf(pair.serverEvents).kind).toBe('resumed');
    }
  });

  it('is resumed by another worker of the pod, and by none of another pod', () => {
    const friends = new Acquaintances();
    friends.meet();
    friends.worker = friends.startWorker();
    expect(sessionOf(friends.meet().serverEvents).kind).toBe('resumed');
    const elsewhere = new Acquaintances();
    const pair = friends.meet({}, { sessions: elsewhere.serverSessions() });
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'unknown-ticket' });
    expect(sessionOf(pair.clientEvents)).toMatchObject({ kind: 'full', declined: 'server-declined' });
  });

  it('uses each ticket once (C.4)', () => {
    const friends = new Acquaintances();
    friends.meet({}, { sessions: friends.serverSessions({ automaticTickets: 1 }) });
    const silent = { sessions: friends.serverSessions({ automaticTickets: 0 }) };
    expect(sessionOf(friends.meet({}, silent).serverEvents).kind).toBe('resumed');
    expect(sessionOf(friends.meet({}, silent).serverEvents)).toMatchObject({
      kind: 'full',
      declined: undefined,
    });
  });

  it('gets its tickets when the owner says so', () => {
    const friends = new Acquaintances();
    const pair = friends.meet({}, { sessions: friends.serverSessions({ automaticTickets: 0 }) });
    expect(friends.cache.size).toBe(0);
    expect(pair.server.issueTickets(3)).toBe(3);
    exchange(pair.client, pair.server);
    expect(friends.cache.size).toBe(3);
    expect(() => pair.server.issueTickets(0)).toThrow('want 1 to');
  });

  it('is a full one where a side has no sessions', () => {
    const friends = new Acquaintances();
    friends.meet();
    const { sessions: _, ...without } = serverConfig();
    const pair = friends.tryToMeet({}, { ...without, sessions: undefined as never });
    expect(sessionOf(pair.serverEvents).kind).toBe('full');
    expect(pair.client.established).toBe(true);
  });
});

describe('a session is not resumed', () => {
  it('CVE-2025-68121: after the trust bundle of the server changed', () => {
    const friends = new Acquaintances();
    friends.meet();
    const pair = friends.meet({}, { sessions: friends.serverSessions({ binding: 'bundle-2' }) });
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'other-binding' });
  });

  it('CVE-2025-68121: after the trust bundle of the client changed', () => {
    const friends = new Acquaintances();
    friends.meet();
    const pair = friends.meet({ sessions: friends.clientSessions({ binding: 'bundle-2' }) });
    expect(sessionOf(pair.clientEvents)).toMatchObject({ kind: 'full', declined: undefined });
  });

  it('CVE-2022-21654: under other demands on the client', () => {
    const verifier = new FakeVerifier([identity('client')]);
    const demands = [
      { clientAuthentication: { mode: 'none' } },
      { clientAuthentication: { mode: 'request', required: false, verifier } },
      { clientAuthentication: { mode: 'request', required: true, verifier } },
    ] as const;
    for (const before of demands) {
      for (const after of demands) {
        const friends = new Acquaintances();
        friends.meet({}, before);
        const pair = friends.meet({}, after);
        const expected = before === after ? { kind: 'resumed' } : { kind: 'full', declined: 'other-demand' };
        expect(sessionOf(pair.serverEvents)).toMatchObject(expected);
        const named = after.clientAuthentication.mode === 'none' ? undefined : 'test:client';
        expect(pair.server.peer?.identity).toBe(named);
      }
    }
  });

  it('CVE-2022-21654: under another policy of the same bundle', () => {
    const friends = new Acquaintances();
    friends.meet({}, { sessions: friends.serverSessions({ binding: 'bundle-1/policy-1' }) });
    const pair = friends.meet({}, { sessions: friends.serverSessions({ binding: 'bundle-1/policy-2' }) });
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'other-binding' });
  });

  it("after the client's certificate was revoked: the full handshake then refuses it", () => {
    const friends = new Acquaintances();
    const verifier = new TurningVerifier();
    friends.meet({}, asking(verifier));
    expect(sessionOf(friends.meet({}, asking(verifier)).serverEvents).kind).toBe('resumed');
    verifier.believes = false;
    const pair = friends.tryToMeet({}, asking(verifier));
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'peer-refused' });
    expect(pair.server.established).toBe(false);
    expect(pair.server.failure?.code).toBe('unknown-test-certificate');
  });

  it("after the server's certificate was revoked: nothing of the session is even offered", () => {
    const friends = new Acquaintances();
    const verifier = new TurningVerifier();
    friends.meet({ verifier });
    verifier.believes = false;
    const pair = friends.tryToMeet({ verifier });
    expect(sessionOf(pair.clientEvents)).toMatchObject({ kind: 'full', declined: 'peer-refused' });
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: undefined });
    expect(pair.client.failure?.code).toBe('unknown-test-certificate');
    expect(pair.client.established).toBe(false);
  });

  it('with a client that has a new certificate when the old one is refused: the full handshake takes it', () => {
    const friends = new Acquaintances();
    friends.meet();
    const renewed = makeIdentity('client again');
    const verifier = new FakeVerifier([renewed]);
    const pair = friends.meet({ credential: credentialOf(renewed) }, asking(verifier));
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'peer-refused' });
    expect(pair.server.peer?.identity).toBe('test:client again');
  });

  it('by a verifier that breaks: the handshake ends', () => {
    const friends = new Acquaintances();
    friends.meet();
    const verifier: PeerVerifier = {
      verify: () => {
        throw new Error('no bundle');
      },
    };
    const pair = friends.tryToMeet({}, asking(verifier));
    expect(pair.server.failure?.code).toBe('verifier-failed');
    expect(friends.tryToMeet({ verifier }).client.failure?.code).toBe('verifier-failed');
  });

  it('after the identity of the client changed', () => {
    const friends = new Acquaintances();
    friends.meet();
    const pair = friends.meet({ sessions: friends.clientSessions({ identity: 'test:other' }) });
    expect(sessionOf(pair.clientEvents).kind).toBe('full');
  });

  it('after the identity of the server changed', () => {
    const friends = new Acquaintances();
    friends.meet();
    const pair = friends.meet({}, { sessions: friends.serverSessions({ identity: 'test:other' }) });
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'other-identity' });
  });

  it('towards another destination, or when another server is expected', () => {
    for (const change of [{ destination: 'shop:9090' }, { expected: ['test:other'] }]) {
      const friends = new Acquaintances();
      friends.meet();
      const pair = friends.meet({ sessions: friends.clientSessions(change) });
      expect(sessionOf(pair.clientEvents).kind).toBe('full');
    }
  });

  it('under another server name or protocol: not by the client, and not by the server either', () => {
    const alpn = ['sallyport/1', 'sallyport/2'];
    const friends = new Acquaintances();
    friends.meet({ alpn }, { alpn });
    const other = friends.meet({ alpn }, { alpn: ['sallyport/2'] });
    expect(sessionOf(other.serverEvents)).toMatchObject({ kind: 'full', declined: 'other-alpn' });
    expect(sessionOf(friends.meet({ alpn: ['sallyport/2'] }, { alpn }).clientEvents).kind).toBe('full');
    const named = { serverName: 'p9090.mesh.test' };
    const pair = friends.meet(named, { expectedServerName: named.serverName });
    expect(sessionOf(pair.clientEvents).kind).toBe('full');
  });

  it('with a suite of another hash', () => {
    const friends = new Acquaintances();
    friends.meet({}, { suites: ['TLS_AES_128_GCM_SHA256'] });
    const pair = friends.meet({}, { suites: ['TLS_AES_256_GCM_SHA384'] });
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'other-suite' });
  });

  it("after the client's certificate ended", async () => {
    const friends = new Acquaintances();
    const brief = { ...identity('client').peer, notAfter: friends.clock.now() + HOUR };
    const verifier: PeerVerifier = { verify: () => ok(brief) };
    friends.meet({}, asking(verifier));
    await friends.clock.advance(HOUR);
    expect(sessionOf(friends.meet({}, asking(verifier)).serverEvents).kind).toBe('full');
  });

  it("after the server's certificate ended: each side sees to it alone", async () => {
    const friends = new Acquaintances();
    const server = {
      credential: { ...credentialOf(identity('server')), notAfter: friends.clock.now() + HOUR },
    };
    friends.meet({}, server);
    await friends.clock.advance(HOUR);
    expect(friends.cache.take('')).toBeUndefined();
    expect(sessionOf(friends.meet({}, server).clientEvents).kind).toBe('full');

    const brief = { ...identity('server').peer, notAfter: friends.clock.now() + HOUR };
    const verifier: PeerVerifier = { verify: () => ok(brief) };
    friends.cache.clear();
    friends.meet({ verifier });
    await friends.clock.advance(HOUR);
    expect(sessionOf(friends.meet({ verifier }).clientEvents).kind).toBe('full');
  });

  it('from the future, when the wall clock was turned back', () => {
    const friends = new Acquaintances();
    friends.meet();
    const now = friends.clock.now.bind(friends.clock);
    friends.clock.now = () => now() - 1;
    const pair = friends.meet();
    expect(sessionOf(pair.serverEvents)).toMatchObject({ kind: 'full', declined: 'expired' });
  });

  it('by a key exchange without (EC)DHE, which neither side offers or takes (4.2.9)', () => {
    const friends = new Acquaintances();
    friends.meet();
    const pair = friends.meet();
    expect(pair.clientKeys.some((line) => line.startsWith('CLIENT_HANDSHAKE'))).toBe(true);
    // key_share answered: two handshakes of one session have other keys (forward secrecy).
    expect(pair.clientKeys).not.toEqual(friends.meet().clientKeys);
  });
});

describe('a configuration is refused that', () => {
  it.each([
    ['has external keys where certificates are asked for, as every listener of the mesh does', {}],
    ['has external keys on a client with a certificate', { client: true }],
  ])('%s', (_title, { client = false }: { client?: boolean }) => {
    const friends = new Acquaintances();
    const key = Uint8Array.from({ length: 32 }, (_, index) => index);
    const externalPsks = [{ identity: Buffer.from('key'), context: new Uint8Array(0), key }];
    const meet = () => (client ? friends.meet({ externalPsks }) : friends.meet({}, { externalPsks }));
    expect(meet).toThrow('external keys: not');
  });

  it('has sessions with a credential that does not say when it ends', () => {
    const friends = new Acquaintances();
    const { notAfter: _, ...credential } = credentialOf(identity('server'));
    expect(() => friends.meet({}, { credential })).toThrow('notAfter');
    expect(() => friends.meet({ credential })).toThrow('notAfter');
  });

  it('wants what no session can be', () => {
    const friends = new Acquaintances();
    for (const wrong of [
      { lifetimeMilliseconds: 8 * 24 * HOUR },
      { lifetimeMilliseconds: 0 },
      { automaticTickets: 9 },
      { earlyData: { maxBytes: 0 } },
      { binding: '' },
      { identity: 'ö' },
    ]) {
      const sessions = friends.serverSessions(wrong);
      expect(() => friends.meet({}, { sessions })).toThrow(/^sessions: /);
    }
    const { sessions: _, ...without } = friends.options().client!;
    expect(() => friends.meet({ ...without, sessions: undefined as never, earlyData: true })).toThrow(
      'early data',
    );
  });
});
