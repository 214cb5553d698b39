import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClientSessions, type PeerVerifier, SessionCache, TlsError } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { connectTls, type TlsStream } from '#handshake/stream';
import { spiffeVerifier } from '#identity';
import { makeAuthority } from '#identity/testing';
import { type Clock, systemClock, Watch } from '#runtime';
import type { HandshakeRecord } from '#telemetry';
import { MESH_PROTOCOL, meshServerName } from './credential.ts';
import { adminOf } from './testing/admin-client.ts';
import { ALLOW_ALL, allow, TestMesh, type TestSidecar, TRUST_DOMAIN } from './testing/mesh.ts';
import { eventually, readAll, readExactly, tcpClient, tcpServer } from './testing/sockets.ts';

const HOUR = 3_600_000;
/** What X.509 counts in: a certificate holds until its last second is over. */
const SECOND = 1_000;
const DENY_ALL = ALLOW_ALL.replace('namespaces: [shop]', 'namespaces: [nobody]');

/** How far the wall clock is ahead of the system's. */
let ahead: number;
const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };
let mesh: TestMesh;
let application: Awaited<ReturnType<typeof tcpServer>>;

beforeEach(async () => {
  ahead = 0;
  mesh = new TestMesh({ clock });
  application = await tcpServer((socket) => socket.pipe(socket));
  mesh.scope.defer(() => application.close());
});
afterEach(() => mesh.close());

/** The records of a service once there are so many. */
async function records(service: string, count: number): Promise<readonly HandshakeRecord[]> {
  await eventually(() => mesh.handshakes(service).length === count, `${count} handshakes of ${service}`);
  return mesh.handshakes(service);
}

/** One request on a connection of its own, answered and closed. */
async function call(caller: TestSidecar): Promise<void> {
  const client = await tcpClient(caller.calls('orders'));
  client.write('hello');
  expect((await readExactly(client, 5)).toString()).toBe('hello');
  client.end();
  await readAll(client);
}

async function callInVain(caller: TestSidecar): Promise<void> {
  const client = await tcpClient(caller.calls('orders'));
  client.write('hello');
  expect(await readAll(client)).toMatchObject({ ending: 'reset', bytes: Buffer.alloc(0) });
}

const resumptions = (all: readonly HandshakeRecord[]): unknown[] => all.map(({ resumption }) => resumption);

describe('the next connection of the same pair', () => {
  test('goes on with the session: records, log and metric say so, and policy decides with the same identity', async () => {
    const decided: (string | undefined)[] = [];
    const orders = await mesh.start('orders', {
      application,
      override: { onDecision: (_, { peer }) => decided.push(peer?.toString()) },
    });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    for (let each = 0; each < 3; each += 1) await call(web);
    for (const [service, peer] of [
      ['web', orders],
      ['orders', web],
    ] as const) {
      const seen = await records(service, 3);
      expect(resumptions(seen)).toEqual(['full', 'resumed', 'resumed']);
      for (const record of seen) {
        expect(record).toMatchObject({ result: 'ok', peer: peer.identity.toString(), alpn: MESH_PROTOCOL });
        expect(record.peerSerial).toBe(seen[0]?.peerSerial);
      }
      expect(new Set(seen.map(({ traceId }) => traceId)).size).toBe(3);
      // The proof is of the first; when that was, the resumed ones say.
      expect(seen[1]?.scheme).toBeUndefined();
      expect(seen[1]?.authenticatedAt).toBe(seen[2]?.authenticatedAt);
    }
    expect(decided).toEqual(Array.from({ length: 3 }, () => web.identity.toString()));
    await eventually(() => orders.connections().length + web.connections().length === 6, 'all lines');
    expect(orders.connections().map(({ resumption }) => resumption)).toEqual(['full', 'resumed', 'resumed']);
    expect(web.connections().map(({ resumption }) => resumption)).toEqual(['full', 'resumed', 'resumed']);
    const page = await adminOf(orders).text('/metrics');
    expect(page).toMatch(/sallyport_tls_sessions_total\{(?=.*role="server")(?=.*resumption="resumed").*\} 2/);
  });

  test('begins anew where sessions are switched off on either side', async () => {
    const orders = await mesh.start('orders', { application, limits: { sessions: 0 } });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    const billing = await mesh.start('billing', { application });
    const shy = await mesh.start('shy', { calls: { orders: mesh.to(billing) }, limits: { sessions: 0 } });
    for (const caller of [web, web, shy, shy]) await call(caller);
    expect(resumptions(await records('orders', 2))).toEqual(['full', 'full']);
    expect(resumptions(await records('billing', 2))).toEqual(['full', 'full']);
  });

  test('a caller whom policy denies is given no session', async () => {
    mesh.policy(allow(['billing']));
    const orders = await mesh.start('orders', { application });
    const caller = new StubbornCaller(mesh, orders);
    await expect(caller.call()).rejects.toMatchObject({ code: 'alert-received' });
    expect(caller.sessions.cache.size).toBe(0);
    mesh.policy(allow(['web']));
    expect(await caller.call()).toBe('full');
    await eventually(() => caller.sessions.cache.size === 2, 'the tickets');
  });
});

/** Changes after which the caller must prove itself anew, by certificates, and does. */
const CHANGES: Readonly<Record<string, (pair: { orders: TestSidecar; web: TestSidecar }) => void>> = {
  'the trust bundle': () => {
    const more = makeAuthority({ trustDomain: TRUST_DOMAIN }).bundle;
    const { roots, trustDomain } = mesh.bundle.value;
    mesh.bundle.set({ trustDomain, roots: [...roots, ...more.roots], hash: `${mesh.bundle.value.hash}0` });
  },
  'the policies': () => mesh.policy(ALLOW_ALL),
  'the callee’s certificate': ({ orders }) =>
    orders.credentials.set(mesh.issue(orders.identity.toString(), clock.now() + HOUR)),
  'the caller’s certificate': ({ web }) =>
    web.credentials.set(mesh.issue(web.identity.toString(), clock.now() + HOUR)),
  'time, beyond the end of the callee’s certificate of then': ({ orders, web }) => {
    ahead = HOUR + SECOND;
    for (const each of [orders, web])
      each.credentials.set(mesh.issue(each.identity.toString(), clock.now() + HOUR));
  },
};

describe('a session between two sidecars is not gone on with after a change of', () => {
  test.for(Object.entries(CHANGES))('%s', async ([, change]) => {
    const orders = await mesh.start('orders', { application });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    for (let each = 0; each < 2; each += 1) await call(web);
    await records('orders', 2);
    change({ orders, web });
    for (let each = 0; each < 2; each += 1) await call(web);
    expect(resumptions(await records('orders', 4))).toEqual(['full', 'resumed', 'full', 'resumed']);
    expect(resumptions(await records('web', 4))).toEqual(['full', 'resumed', 'full', 'resumed']);
  });

  test('whom the caller expects at the same address: and the callee is refused', async () => {
    const orders = await mesh.start('orders', { application });
    let identities = [orders.identity];
    const web = await mesh.start('web', { calls: { orders: () => mesh.to(orders, 80, identities)() } });
    await call(web);
    await records('orders', 1);
    identities = [web.identity];
    await callInVain(web);
    const [, refused] = await records('web', 2);
    expect(refused).toMatchObject({ result: 'failed', reason: 'spiffe-id-mismatch', resumption: 'full' });
  });

  test('what the caller’s verifier says of the callee: and the callee is refused', async () => {
    const orders = await mesh.start('orders', { application });
    const own = new TestMesh({ clock });
    mesh.scope.defer(() => own.close());
    const web = await mesh.start('web', {
      calls: { orders: mesh.to(orders) },
      override: { bundle: own.bundle, telemetry: own.telemetry },
    });
    own.bundle.set(mesh.bundle.value);
    await call(web);
    // Other roots under the same hash: nothing but a new judgement of the chain can notice.
    own.bundle.set({ ...makeAuthority({ trustDomain: TRUST_DOMAIN }).bundle, hash: mesh.bundle.value.hash });
    await callInVain(web);
    const last = own.handshakes('web').at(-1);
    expect(last).toMatchObject({ result: 'failed', reason: 'unknown-authority', resumption: 'full' });
  });
});

/** A caller that offers its session whatever has changed: what the callee does by itself then. */
class StubbornCaller {
  readonly sessions: ClientSessions;
  readonly #mesh: TestMesh;
  readonly #callee: TestSidecar;
  readonly #held: ReturnType<TestMesh['issue']>;
  readonly #credulous: PeerVerifier;

  constructor(mesh: TestMesh, callee: TestSidecar) {
    this.#mesh = mesh;
    this.#callee = callee;
    const identity = `spiffe://${TRUST_DOMAIN}/ns/shop/sa/web`;
    this.#held = mesh.issue(identity, clock.now() + HOUR);
    const cache = new SessionCache({ clock: systemClock });
    const same = { destination: 'orders', expected: [callee.identity.toString()], binding: 'the-same' };
    this.sessions = { cache, identity, ...same };
    const bundle = new Watch(mesh.authority.bundle);
    // Whoever was believed once, at whatever time.
    const then = spiffeVerifier({ bundle, clock: systemClock });
    const now = spiffeVerifier({ bundle, clock });
    this.#credulous = {
      async verify(presented) {
        const verdict = await now.verify(presented);
        return verdict.ok ? verdict : then.verify(presented);
      },
    };
  }

  /** How the two sides knew each other; rejects with the TlsError if the callee refuses. */
  async call(callee = this.#callee): Promise<string | undefined> {
    const inbound = callee.sidecar.addresses.inbound!;
    const socket = connect({ ...inbound, noDelay: true });
    const stream: TlsStream = connectTls(
      socket,
      {
        crypto: nodeProvider,
        alpn: [MESH_PROTOCOL],
        serverName: meshServerName(80, TRUST_DOMAIN),
        credential: this.#held.credential,
        verifier: this.#credulous,
        sessions: this.sessions,
      },
      { clock: systemClock, handshakeTimeoutMilliseconds: 10_000, observer: () => undefined },
    );
    this.#mesh.scope.defer(() => void stream.destroy());
    stream.write('?');
    // Rejects with what the stream fails with.
    const [answer] = await once(stream, 'data');
    expect(String(answer)).toBe('?');
    stream.resume();
    stream.end();
    return stream.session?.kind;
  }
}

describe('a caller that offers its old session all the same', () => {
  let orders: TestSidecar;
  let caller: StubbornCaller;

  beforeEach(async () => {
    orders = await mesh.start('orders', { application });
    caller = new StubbornCaller(mesh, orders);
    expect(await caller.call()).toBe('full');
    await eventually(() => caller.sessions.cache.size === 2, 'the tickets');
    expect(await caller.call()).toBe('resumed');
    await eventually(() => caller.sessions.cache.size === 2, 'the next ticket');
  });

  test.for([
    ['the trust bundle', 'other-binding'],
    ['the policies', 'other-binding'],
    ['the callee’s certificate', 'other-binding'],
  ] as const)('after a change of %s: %s', async ([what, declined]) => {
    CHANGES[what]!({ orders, web: orders });
    expect(await caller.call()).toBe('full');
    const [, , last] = await records('orders', 3);
    expect(last).toMatchObject({ result: 'ok', resumption: 'full', sessionDeclined: declined });
  });

  test('after its certificate has ended: expired, and refused', async () => {
    ahead = HOUR + SECOND;
    orders.credentials.set(mesh.issue(orders.identity.toString(), clock.now() + HOUR));
    await expect(caller.call()).rejects.toBeInstanceOf(TlsError);
    const [, , last] = await records('orders', 3);
    expect(last).toMatchObject({
      ...{ result: 'failed', reason: 'certificate-expired', resumption: 'full' },
      sessionDeclined: 'expired',
    });
  });

  test('after the verifier has changed its mind: peer-refused, and refused', async () => {
    const { hash } = mesh.bundle.value;
    mesh.bundle.set({ ...makeAuthority({ trustDomain: TRUST_DOMAIN }).bundle, hash });
    await expect(caller.call()).rejects.toBeInstanceOf(TlsError);
    const [, , last] = await records('orders', 3);
    expect(last).toMatchObject({ result: 'failed', reason: 'unknown-authority' });
    expect(last?.sessionDeclined).toBe('peer-refused');
  });

  test('and whom policy denies by now, under the same epoch: resumed, and refused all the same', async () => {
    mesh.policy(DENY_ALL, undefined, mesh.policies.value.epoch);
    await expect(caller.call()).rejects.toMatchObject({ code: 'alert-received', detail: 'access_denied' });
    const [, , last] = await records('orders', 3);
    expect(last).toMatchObject({ result: 'refused', reason: 'no-policy-allows', resumption: 'resumed' });
    expect(caller.sessions.cache.size).toBe(1);
  });

  test('to another pod of the same service: unknown-ticket', async () => {
    const other = await mesh.start('orders', { application });
    expect(await caller.call(other)).toBe('full');
    const [, , last] = await records('orders', 3);
    expect(last).toMatchObject({ resumption: 'full', sessionDeclined: 'unknown-ticket' });
  });

  test('to the same service after a restart: unknown-ticket', async () => {
    await orders.scope.close();
    const again = await mesh.start('orders', { application });
    expect(await caller.call(again)).toBe('full');
    const [, , last] = await records('orders', 3);
    expect(last).toMatchObject({ resumption: 'full', sessionDeclined: 'unknown-ticket' });
  });
});
