import { describe, expect, test } from 'vitest';
import { makeAuthority } from '#identity/testing';
import { delayed } from '../support/delay.ts';
import { type ClientOptions, dial, type ServerOptions, startServer, trust } from '../support/engine.ts';
import { eventually } from '../support/patience.ts';
import { clientSessions, serverSessions } from '../support/sessions.ts';

const ONE_WAY_MILLISECONDS = 50;
const MOST_ATTEMPTS = 20;
const authority = makeAuthority();
const notAfter = Date.now() + 3_600_000;
const credentialOf = (spiffeId: string) => ({ ...authority.makeLeaf({ spiffeId }).credential, notAfter });
const clientCredential = credentialOf('spiffe://mesh.test/ns/shop/sa/web');
const serverCredential = credentialOf('spiffe://mesh.test/ns/shop/sa/orders');
const MUTUAL: Partial<ServerOptions> = {
  clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
};
const SERVER_ONLY: Partial<ServerOptions> = { clientAuthentication: { mode: 'none' } };

interface Case {
  readonly title: string;
  /** Round trips of TLS before the request's own. */
  readonly share: number;
  readonly server: Partial<ServerOptions>;
  readonly client?: Partial<ClientOptions>;
  readonly again?: boolean;
  readonly early?: boolean;
}

const CASES: readonly Case[] = [
  { title: 'full, mutual', share: 1, server: MUTUAL },
  { title: 'full, server only', share: 1, server: SERVER_ONLY },
  {
    title: 'full, with a retry',
    share: 2,
    server: { ...MUTUAL, groups: ['secp256r1'] },
    client: { groups: ['x25519', 'secp256r1'], keyShares: ['x25519'] },
  },
  { title: 'resumed, mutual', share: 1, server: MUTUAL, again: true },
  { title: '0-RTT, server only', share: 0, server: SERVER_ONLY, again: true, early: true },
  // The request comes early, but no answer leaves before the client's Finished where a certificate was asked for.
  { title: '0-RTT, mutual', share: 1, server: MUTUAL, again: true, early: true },
];

describe('round trips of TLS until the first byte of the response, 50 ms each way', () => {
  test.for(CASES)('$title: $share', async ({ share, server, client, again, early }) => {
    const sessions = clientSessions();
    const { port, next } = await startServer(
      {
        credential: serverCredential,
        sessions: serverSessions({ earlyData: { maxBytes: 100 } }),
        ...server,
      },
      (stream) => {
        stream.on('data', (chunk: Buffer) => stream.write(chunk));
        stream.on('earlyData', (chunk: Buffer) => stream.write(chunk));
      },
    );
    const options: ClientOptions = {
      credential: clientCredential,
      verifier: trust(authority),
      sessions,
      earlyData: early === true,
      ...client,
    };
    if (again) {
      const { stream } = dial(port, options);
      stream.resume();
      await eventually(() => sessions.cache.size).toBe(2);
      stream.destroy();
      await next();
    }
    const far = await delayed(port, ONE_WAY_MILLISECONDS);
    // What the network takes is the least that can be measured; whatever else runs on this machine comes on top of it.
    let least = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < MOST_ATTEMPTS && least > share; attempt += 1) {
      if (!again) sessions.cache.clear();
      const start = performance.now();
      const { stream, witness } = dial(far, options, early ? Buffer.from('?') : undefined);
      if (!early) stream.write('?');
      const answer = await new Promise((resolve) => stream.once('data', resolve));
      const elapsed = performance.now() - start;
      expect(String(answer)).toBe('?');
      expect(witness.session?.use.kind).toBe(again ? 'resumed' : 'full');
      expect(witness.session?.use.earlyData).toBe(early ? 'accepted' : 'none');
      const measured = Math.floor(elapsed / (2 * ONE_WAY_MILLISECONDS)) - 1;
      expect(measured).toBeGreaterThanOrEqual(share);
      least = Math.min(least, measured);
      stream.resume();
      if (again) await eventually(() => sessions.cache.size).toBeGreaterThan(0);
      stream.destroy();
      await next();
    }
    expect(least).toBe(share);
  });
});
