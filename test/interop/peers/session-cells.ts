import { readFileSync } from 'node:fs';
import { describe, expect, test, type TestContext } from 'vitest';
import type { PeerVerifier } from '#handshake';
import { makeAuthority, type TestLeaf } from '#identity/testing';
import { readLine } from '../../support/bytes.ts';
import { type Child, needs } from '../../support/child.ts';
import { type ClientOptions, dial, startServer, trust } from '../../support/engine.ts';
import { eventually } from '../../support/patience.ts';
import { clientSessions, serverSessions } from '../../support/sessions.ts';
import { CLIENT_ID, type Peer, type PeerOptions, SERVER_ID } from './cells.ts';
import peers from './peers.json' with { type: 'json' };
import { makeStaple } from './staple.ts';

/** A peer's programs once more, for what needs more than one connection, or more than certificates. */
export interface SessionPeer extends Pick<Peer, 'key' | 'authority' | 'needs' | 'request' | 'answer'> {
  /** A server for several connections; `staple` is a DER file, shown with its leaf to whoever asks. */
  startServer(
    options: PeerOptions,
    staple?: string,
  ): Promise<{ readonly child: Child; readonly port: number }>;
  /** A client that connects, then again with the session of the first time, and goes on like `startClient`. */
  returnTo(port: number, options: PeerOptions, early?: string): Promise<Child>;
  /** A client that asks for a staple; resolves to what proves that it got one of so many bytes. */
  readStaple(
    port: number,
    options: PeerOptions,
  ): Promise<{ readonly child: Child; got(der: Uint8Array): unknown }>;
}

const EARLY = 'early bird\n';

/** Resumption, 0-RTT and stapling in both roles, with mutual authentication. */
export function testSessions(peer: SessionPeer): void {
  const { name, lacks } = peers[peer.key];
  const authority = peer.authority ?? makeAuthority();
  const server = authority.makeLeaf({ spiffeId: SERVER_ID });
  const client = authority.makeLeaf({ spiffeId: CLIENT_ID });
  const requireCell = (context: TestContext, ...all: readonly string[]): void => {
    peer.needs(context);
    for (const what of all) {
      const reason = (lacks as Readonly<Record<string, string>>)[what];
      if (reason !== undefined) context.skip(`${name}, ${what}: ${reason}`);
    }
  };
  const theirs = (leaf: TestLeaf): PeerOptions => ({ leaf, authority, groups: [] });
  const ours = (): ClientOptions => ({
    credential: client.credential,
    verifier: trust(authority),
    sessions: clientSessions(),
  });

  /** A first connection, from which at least one session is left. */
  async function meet(port: number, options: ClientOptions): Promise<void> {
    const { stream } = dial(port, options);
    stream.write(peer.request);
    expect(await readLine(stream)).toMatch(peer.answer);
    stream.resume();
    await eventually(() => options.sessions!.cache.size).toBeGreaterThan(0);
    stream.end();
  }

  describe(`our client calls ${name} again`, () => {
    test('resumption', async (context) => {
      requireCell(context, 'resumption', 'resumption of its servers');
      const { port } = await peer.startServer(theirs(server));
      const options = ours();
      await meet(port, options);
      const { stream, witness } = dial(port, options);
      stream.write(peer.request);
      expect(await readLine(stream)).toMatch(peer.answer);
      expect(witness.session).toMatchObject({ use: { kind: 'resumed' }, declined: undefined });
      expect(witness.peer).toEqual({ identity: SERVER_ID, scheme: undefined });
    });

    test('0-RTT', async (context) => {
      requireCell(context, '0-RTT', '0-RTT to its servers');
      const { port } = await peer.startServer(theirs(server));
      const options = { ...ours(), earlyData: true };
      await meet(port, options);
      const { stream, witness } = dial(port, options, Buffer.from(peer.request));
      // Not every server answers what came early.
      stream.write(peer.request);
      expect(await readLine(stream)).toMatch(peer.answer);
      expect(witness.session?.use).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
    });

    test('stapling', async (context) => {
      requireCell(context, 'stapling', 'stapling by its servers');
      needs(context, 'openssl');
      const staple = makeStaple(server, authority);
      const { port } = await peer.startServer(theirs(server), staple.file);
      let seen: Uint8Array | undefined;
      const believing = trust(authority);
      const verifier: typeof believing = {
        verify(presented) {
          seen = presented.ocspResponse?.slice();
          return believing.verify(presented);
        },
      } satisfies PeerVerifier;
      const { stream } = dial(port, { ...ours(), verifier, requestOcspResponse: true });
      stream.write(peer.request);
      expect(await readLine(stream)).toMatch(peer.answer);
      expect(Buffer.from(seen ?? [])).toEqual(readFileSync(staple.file));
    });
  });

  describe(`${name} calls our server again`, () => {
    const demanding = {
      credential: server.credential,
      clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
    } as const;

    test('resumption', async (context) => {
      requireCell(context, 'resumption', 'resumption by its clients');
      const { port, next } = await startServer({ ...demanding, sessions: serverSessions() });
      const child = await peer.returnTo(port, theirs(client));
      const first = await next();
      const { witness } = await next();
      child.write('over the wall\n');
      await child.says(/over the wall/);
      expect(first.witness.session?.use.kind).toBe('full');
      expect(witness.session).toMatchObject({ use: { kind: 'resumed' }, declined: undefined });
      expect(witness.peer).toEqual({ identity: CLIENT_ID, scheme: undefined });
    });

    test('0-RTT', async (context) => {
      requireCell(context, '0-RTT', '0-RTT by its clients');
      const early: string[] = [];
      const sessions = serverSessions({ earlyData: { maxBytes: 1000 } });
      const { port, next } = await startServer({ ...demanding, sessions }, (stream) => {
        stream.on('earlyData', (chunk: Buffer) => early.push(chunk.toString()));
        stream.pipe(stream);
      });
      const child = await peer.returnTo(port, theirs(client), EARLY);
      await next();
      const { witness } = await next();
      child.write('over the wall\n');
      await child.says(/over the wall/);
      expect(witness.session?.use).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
      expect(early.join('')).toBe(EARLY);
    });

    test('stapling', async (context) => {
      requireCell(context, 'stapling', 'stapling to its clients');
      needs(context, 'openssl');
      const { der } = makeStaple(server, authority);
      const credential = { ...server.credential, ocspResponse: der };
      const { port } = await startServer({ ...demanding, credential });
      const { child, got } = await peer.readStaple(port, theirs(client));
      child.write('over the wall\n');
      await child.says(/over the wall/);
      await got(der);
    });
  });
}
