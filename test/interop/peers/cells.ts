import { randomBytes } from 'node:crypto';
import { describe, expect, test, type TestContext } from 'vitest';
import type { GroupName, KeyType, SuiteName } from '#handshake';
import { makeAuthority, type TestAuthority, type TestLeaf } from '#identity/testing';
import { readLine } from '../../support/bytes.ts';
import type { Child } from '../../support/child.ts';
import { dial, startServer, trust } from '../../support/engine.ts';
import peers from './peers.json' with { type: 'json' };

export const CLIENT_ID = 'spiffe://mesh.test/ns/shop/sa/web';
export const SERVER_ID = 'spiffe://mesh.test/ns/shop/sa/orders';

const SUITES: readonly SuiteName[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];
const GROUPS: readonly GroupName[] = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'];
const KEY_TYPES: readonly KeyType[] = ['ec-p256', 'ec-p384', 'ed25519', 'rsa', 'rsa-pss'];

/** What a peer's program gets: it shows `leaf`, demands a chain to `authority`, and takes these groups only. */
export interface PeerOptions {
  readonly leaf: TestLeaf;
  readonly authority: TestAuthority;
  readonly groups: readonly GroupName[];
}

/** Another implementation's programs. Both demand a certificate of the other side. */
export interface Peer {
  readonly key: keyof typeof peers;
  /** Where it can't read the certificates of one like the mesh's. */
  readonly authority?: TestAuthority;
  needs(context: TestContext): void;
  /** A server that answers `request` with a line that matches `answer`. */
  startServer(options: PeerOptions): Promise<{ readonly child: Child; readonly port: number }>;
  readonly request: string;
  readonly answer: RegExp;
  /** A client that sends its standard input and prints what comes. */
  startClient(port: number, options: PeerOptions): Promise<Child>;
}

interface Cell {
  readonly what: string;
  readonly suite: SuiteName;
  readonly group: GroupName;
  readonly keyType: KeyType;
}

const USUAL = { suite: SUITES[0]!, group: 'x25519', keyType: 'ec-p256' } as const;

/** Every suite, every group and every type of key once, with mutual authentication throughout. */
const CELLS: readonly Cell[] = [
  ...SUITES.map((suite): Cell => ({ ...USUAL, what: suite, suite })),
  ...GROUPS.map((group): Cell => ({ ...USUAL, what: group, group })),
  ...KEY_TYPES.map((keyType): Cell => ({ ...USUAL, what: keyType, keyType })),
];

/** The cells of both roles with this peer; what it lacks is skipped with the reason that the page gives. */
export function testPeer(peer: Peer): void {
  const { name, lacks } = peers[peer.key];
  const authority = peer.authority ?? makeAuthority();
  const leaves = new Map<string, TestLeaf>();
  const leaf = (spiffeId: string, keyType: KeyType): TestLeaf => {
    const made = leaves.get(`${keyType} ${spiffeId}`) ?? authority.makeLeaf({ spiffeId, keyType });
    leaves.set(`${keyType} ${spiffeId}`, made);
    return made;
  };
  const requireCell = (context: TestContext, what: string): void => {
    peer.needs(context);
    const reason = (lacks as Readonly<Record<string, string>>)[what];
    if (reason !== undefined) context.skip(`${name} lacks ${what}: ${reason}`);
  };

  describe(`our client calls ${name}`, () => {
    test.for(CELLS)('$what', async ({ what, suite, group, keyType }, context) => {
      requireCell(context, what);
      const { port } = await peer.startServer({
        leaf: leaf(SERVER_ID, keyType),
        authority,
        groups: [group],
      });
      const { stream, witness } = dial(port, {
        credential: leaf(CLIENT_ID, keyType).credential,
        verifier: trust(authority),
        suites: [suite],
        groups: [group],
      });
      stream.write(peer.request);
      expect(await readLine(stream)).toMatch(peer.answer);
      expect(witness.negotiated).toEqual({ suite, group, helloRetry: false });
      expect(witness.peer?.identity).toBe(SERVER_ID);
    });

    test('HelloRetryRequest', async (context) => {
      requireCell(context, 'HelloRetryRequest');
      const { port } = await peer.startServer({
        leaf: leaf(SERVER_ID, 'ec-p256'),
        authority,
        groups: ['secp384r1'],
      });
      const { stream, witness } = dial(port, {
        credential: leaf(CLIENT_ID, 'ec-p256').credential,
        verifier: trust(authority),
      });
      stream.write(peer.request);
      expect(await readLine(stream)).toMatch(peer.answer);
      expect(witness.negotiated).toMatchObject({ group: 'secp384r1', helloRetry: true });
    });

    test('what both offer by default', async (context) => {
      requireCell(context, 'defaults');
      const { port } = await peer.startServer({ leaf: leaf(SERVER_ID, 'ec-p256'), authority, groups: [] });
      const { stream, witness } = dial(port, {
        credential: leaf(CLIENT_ID, 'ec-p256').credential,
        verifier: trust(authority),
      });
      stream.write(peer.request);
      expect(await readLine(stream)).toMatch(peer.answer);
      const best = 'X25519MLKEM768' in lacks ? 'x25519' : 'X25519MLKEM768';
      expect(witness.negotiated).toMatchObject({ group: best, helloRetry: false });
    });
  });

  describe(`${name} calls our server`, () => {
    const demanding = {
      clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
    } as const;

    test.for(CELLS)('$what', async ({ what, suite, group, keyType }, context) => {
      requireCell(context, what);
      const { port, next } = await startServer({
        ...demanding,
        credential: leaf(SERVER_ID, keyType).credential,
        suites: [suite],
      });
      const child = await peer.startClient(port, {
        leaf: leaf(CLIENT_ID, keyType),
        authority,
        groups: [group],
      });
      child.write('over the wall\n');
      await child.says(/over the wall/);
      const { witness } = await next();
      expect(witness.negotiated).toEqual({ suite, group, helloRetry: false });
      expect(witness.peer?.identity).toBe(CLIENT_ID);
    });

    test('HelloRetryRequest', async (context) => {
      requireCell(context, 'HelloRetryRequest');
      const { port, next } = await startServer({
        ...demanding,
        credential: leaf(SERVER_ID, 'ec-p256').credential,
        groups: ['secp384r1'],
      });
      const child = await peer.startClient(port, {
        leaf: leaf(CLIENT_ID, 'ec-p256'),
        authority,
        groups: ['x25519', 'secp256r1', 'secp384r1'],
      });
      child.write('over the wall\n');
      await child.says(/over the wall/);
      expect((await next()).witness.negotiated).toMatchObject({ group: 'secp384r1', helloRetry: true });
    });

    test('our KeyUpdates, one every two records', async (context) => {
      requireCell(context, 'KeyUpdate from us');
      const { port, next } = await startServer({
        ...demanding,
        credential: leaf(SERVER_ID, 'ec-p256').credential,
        recordsPerKey: 2,
      });
      const child = await peer.startClient(port, {
        leaf: leaf(CLIENT_ID, 'ec-p256'),
        authority,
        groups: ['x25519'],
      });
      const { witness } = await next();
      for (let round = 0; round < 6; round += 1) {
        const text = randomBytes(8).toString('hex');
        child.write(`${text}\n`);
        await child.says(new RegExp(text));
      }
      expect(witness.keyUpdates('sent')).toBeGreaterThanOrEqual(2);
    });
  });
}
