import { describe, expect, it } from 'vitest';
import { ServerConnection } from './connection.ts';
import type { ConnectionEvent } from './events.ts';
import { CONTENT } from './record/header.ts';
import { FakeVerifier } from './testing/credentials.ts';
import { exchange, makePair, received, serverConfig } from './testing/pair.ts';
import { Acquaintances, sessionOf, WINDOW, withEarlyData } from './testing/sessions.ts';
import { record, splitRecords } from './testing/wire.ts';
import type { TicketWorker } from './tickets/ticket-worker.ts';

const REQUEST = Buffer.from('GET / HTTP/1.1');
const NO_CERTIFICATE = { clientAuthentication: { mode: 'none' } } as const;

/** Two sides that have met with tickets for early data, and a worker that is old enough to take it. */
async function friends(maxBytes = 1000) {
  const acquaintances = new Acquaintances();
  await acquaintances.clock.advance(WINDOW);
  const ways = withEarlyData(acquaintances, maxBytes);
  acquaintances.meet(ways.client, ways.server);
  return { acquaintances, ways };
}

/** A client's first flight with early data in it, and the client. */
async function capture(maxBytes = 1000) {
  const { acquaintances, ways } = await friends(maxBytes);
  const pair = makePair(acquaintances.options(ways.client, ways.server));
  unpause(pair.client);
  pair.client.writeEarly(REQUEST);
  return { acquaintances, ways, ...pair, flight: pair.client.takeOutput() };
}

function unpause(connection: Pick<ServerConnection, 'pending' | 'resume'>): void {
  for (let { pending } = connection; pending !== undefined; pending = connection.pending) {
    const resumption = pending.run();
    if (resumption instanceof Promise) throw new Error('answers come at once here');
    connection.resume(resumption);
  }
}

/** What a server with this worker executes of a flight. */
function replay(acquaintances: Acquaintances, worker: TicketWorker, flight: Uint8Array) {
  const events: ConnectionEvent[] = [];
  const sessions = { ...acquaintances.serverSessions({ earlyData: { maxBytes: 1000 } }), worker };
  const server = new ServerConnection(serverConfig({ sessions }), (event) => events.push(event));
  server.receive(flight.slice());
  unpause(server);
  expect(server.established).toBe(false);
  return { executed: Buffer.concat(server.takeEarlyData()).toString(), ...sessionOf(events) };
}

describe('early data', () => {
  it('reaches the server before the handshake is done, and is told apart from what follows', async () => {
    const { client, server, flight, clientEvents, serverEvents } = await capture();
    server.receive(flight);
    unpause(server);
    expect(server.established).toBe(false);
    expect(Buffer.concat(server.takeEarlyData()).toString()).toBe(REQUEST.toString());
    expect(received(server)).toHaveLength(0);
    exchange(client, server);
    expect(client.session).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
    expect(server.session).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
    expect(sessionOf(clientEvents)).toMatchObject({ earlyData: 'accepted', earlyDeclined: undefined });
    expect(sessionOf(serverEvents)).toMatchObject({ earlyData: 'accepted', earlyDeclined: undefined });
    client.write(Buffer.from('more'));
    exchange(client, server);
    expect(Buffer.from(received(server)).toString()).toBe('more');
    expect(server.takeEarlyData()).toHaveLength(0);
    const early = client.exportEarlyKeyingMaterial('EXPERIMENTAL test', 32);
    expect(early).toHaveLength(32);
    expect(server.exportEarlyKeyingMaterial('EXPERIMENTAL test', 32)).toEqual(early);
    expect(client.exportKeyingMaterial('EXPERIMENTAL test', 32)).not.toEqual(early);
  });

  it('logs its secrets on both sides alike', async () => {
    const { client, server, flight, clientKeys, serverKeys } = await capture();
    server.receive(flight);
    exchange(client, server);
    expect(new Set(serverKeys)).toEqual(new Set(clientKeys));
    expect(clientKeys[0]).toMatch(/^CLIENT_EARLY_TRAFFIC_SECRET /);
  });

  it('is off by default on both sides', async () => {
    const acquaintances = new Acquaintances();
    await acquaintances.clock.advance(WINDOW);
    acquaintances.meet({ earlyData: true });
    const pair = makePair(acquaintances.options({ earlyData: true }));
    unpause(pair.client);
    expect(pair.client.earlyDataLimit).toBe(0);
    expect(() => pair.client.writeEarly(REQUEST)).toThrow('more than earlyDataLimit');

    const { acquaintances: others, ways } = await friends();
    const reluctant = makePair(others.options({}, ways.server));
    unpause(reluctant.client);
    expect(reluctant.client.earlyDataLimit).toBe(0);
  });

  it('does not let the server answer early where it asked for a certificate; else it may', async () => {
    const asked = await capture();
    asked.server.receive(asked.flight);
    unpause(asked.server);
    expect(asked.server.mayWrite).toBe(false);
    expect(() => asked.server.write(REQUEST)).toThrow('not complete');
    expect(asked.server.issueTickets(1)).toBe(0);

    const acquaintances = new Acquaintances();
    await acquaintances.clock.advance(WINDOW);
    const ways = withEarlyData(acquaintances);
    const server = { ...ways.server, ...NO_CERTIFICATE };
    acquaintances.meet(ways.client, server);
    const pair = makePair(acquaintances.options(ways.client, server));
    unpause(pair.client);
    pair.client.writeEarly(REQUEST);
    pair.server.receive(pair.client.takeOutput());
    expect(Buffer.concat(pair.server.takeEarlyData()).toString()).toBe(REQUEST.toString());
    expect(pair.server.mayWrite).toBe(true);
    pair.server.write(Buffer.from('200 OK'));
    // One flight of the server's: its Finished and the answer, before anything more of the client's came.
    pair.client.receive(pair.server.takeOutput());
    expect(Buffer.from(received(pair.client)).toString()).toBe('200 OK');
    exchange(pair.client, pair.server);
    expect(pair.server.established).toBe(true);
  });

  it('is bounded by the ticket: the client keeps to it, the server ends who does not', async () => {
    const { acquaintances, ways, ...pair } = await friends(20);
    expect(pair).toEqual({});
    const honest = makePair(acquaintances.options(ways.client, ways.server));
    unpause(honest.client);
    expect(honest.client.earlyDataLimit).toBe(20);
    honest.client.writeEarly(new Uint8Array(20));
    expect(() => honest.client.writeEarly(new Uint8Array(1))).toThrow('more than earlyDataLimit');
    honest.server.receive(honest.client.takeOutput());
    unpause(honest.server);
    expect(honest.server.failure).toBeUndefined();

    // A client that believes another limit.
    const session = acquaintances.cache;
    const take = session.take.bind(session);
    session.take = (key) => {
      const taken = take(key);
      return taken && { ...taken, earlyDataLimit: 21 };
    };
    acquaintances.meet(ways.client, ways.server);
    const greedy = makePair(acquaintances.options(ways.client, ways.server));
    unpause(greedy.client);
    greedy.client.writeEarly(new Uint8Array(21));
    greedy.server.receive(greedy.client.takeOutput());
    unpause(greedy.server);
    expect(greedy.server.failure?.code).toBe('too-much-early-data');
  });
});

describe('refused early data', () => {
  it.each([
    ['by a server that takes none any more', 'not-enabled', {}],
    ['with another suite of the same hash', 'not-enabled', { suites: ['TLS_CHACHA20_POLY1305_SHA256'] }],
  ] as const)('%s: it is skipped, and the session goes on without it', async (_title, why, server) => {
    const { acquaintances, client, clientEvents, flight } = await capture();
    const early = 'suites' in server ? { earlyData: { maxBytes: 1000 } } : {};
    const events: ConnectionEvent[] = [];
    const config = serverConfig({ sessions: acquaintances.serverSessions(early), ...server });
    const connection = new ServerConnection(config, (event) => events.push(event));
    connection.receive(flight);
    exchange(client, connection);
    expect(sessionOf(events)).toMatchObject({ kind: 'resumed', earlyData: 'rejected', earlyDeclined: why });
    expect(sessionOf(clientEvents)).toMatchObject({
      earlyData: 'rejected',
      earlyDeclined: 'server-declined',
    });
    expect(client.session?.earlyData).toBe('rejected');
    expect(connection.takeEarlyData()).toHaveLength(0);
    client.write(REQUEST);
    exchange(client, connection);
    expect(Buffer.from(received(connection)).toString()).toBe(REQUEST.toString());
  });

  it('by a retry: the second flight is a plain one, and nothing of the first is executed', async () => {
    const { acquaintances, client, clientEvents, flight } = await capture();
    const events: ConnectionEvent[] = [];
    const sessions = acquaintances.serverSessions({ earlyData: { maxBytes: 1000 } });
    const config = serverConfig({ sessions, groups: ['secp256r1'] });
    const server = new ServerConnection(config, (event) => events.push(event));
    server.receive(flight);
    exchange(client, server);
    expect(server.failure).toBeUndefined();
    expect(client.failure).toBeUndefined();
    expect(sessionOf(events)).toMatchObject({ kind: 'resumed', earlyData: 'none' });
    expect(server.takeEarlyData()).toHaveLength(0);
    expect(client.established && server.established).toBe(true);
    expect(sessionOf(clientEvents)).toMatchObject({ kind: 'resumed', earlyData: 'rejected' });
  });

  it('by a retry, and then inside the second ClientHello: it ends the handshake (5.1)', async () => {
    const { acquaintances, client, flight } = await capture();
    const sessions = acquaintances.serverSessions({ earlyData: { maxBytes: 1000 } });
    const server = new ServerConnection(serverConfig({ sessions, groups: ['secp256r1'] }), () => undefined);
    server.receive(flight);
    client.receive(server.takeOutput());
    const hello = splitRecords(client.takeOutput()).find((each) => each[0] === CONTENT.handshake)!;
    server.receive(record('handshake', hello.slice(5, 25)));
    server.receive(record('application_data', new Uint8Array(40)));
    expect(server.failure).toMatchObject({
      code: 'unexpected-record',
      detail: 'early data inside a handshake message',
    });
  });

  it('by a full handshake: with a stranger, without sessions, and of a client no more believed', async () => {
    const nobody = { mode: 'request', required: true, verifier: new FakeVerifier([]) } as const;
    for (const server of [
      { sessions: new Acquaintances().serverSessions() },
      {},
      { clientAuthentication: nobody },
    ]) {
      const { acquaintances, client, flight } = await capture();
      const events: ConnectionEvent[] = [];
      const sessions = acquaintances.serverSessions({ earlyData: { maxBytes: 1000 } });
      const kept = 'clientAuthentication' in server ? { sessions } : {};
      const connection = new ServerConnection(serverConfig({ ...kept, ...server }), (event) =>
        events.push(event),
      );
      connection.receive(flight);
      exchange(client, connection);
      expect(sessionOf(events)).toMatchObject({
        kind: 'full',
        earlyData: 'rejected',
        earlyDeclined: 'no-session',
      });
      expect(connection.takeEarlyData()).toHaveLength(0);
      expect(connection.established).toBe(!('clientAuthentication' in server));
    }
  });

  it('is skipped up to a bound only', async () => {
    const { acquaintances, ways } = await friends(100_000);
    const pair = makePair(acquaintances.options(ways.client));
    unpause(pair.client);
    pair.client.writeEarly(new Uint8Array(40_000));
    exchange(pair.client, pair.server);
    expect(pair.server.failure?.code).toBe('too-much-early-data');
    expect(pair.server.takeEarlyData()).toHaveLength(0);
  });
});

describe('one captured flight is executed once at most', () => {
  it('by the worker that minted the ticket, however often it is sent', async () => {
    const { acquaintances, flight } = await capture();
    const { worker } = acquaintances;
    expect(replay(acquaintances, worker, flight)).toMatchObject({ executed: REQUEST.toString() });
    for (let time = 0; time < 3; time += 1) {
      expect(replay(acquaintances, worker, flight)).toMatchObject({
        executed: '',
        kind: 'resumed',
        earlyData: 'rejected',
        earlyDeclined: 'replayed',
      });
    }
  });

  it('never by a second worker of the pod', async () => {
    const { acquaintances, flight } = await capture();
    const second = acquaintances.startWorker();
    await acquaintances.clock.advance(WINDOW);
    expect(replay(acquaintances, second, flight)).toMatchObject({
      executed: '',
      earlyDeclined: 'other-worker',
    });
    expect(replay(acquaintances, acquaintances.worker, flight).executed).toBe(REQUEST.toString());
  });

  it('never by a process that was started again, with the same ticket keys or with new ones', async () => {
    const { acquaintances, flight } = await capture();
    expect(replay(acquaintances, acquaintances.worker, flight).executed).toBe(REQUEST.toString());
    const again = acquaintances.startWorker();
    expect(replay(acquaintances, again, flight)).toMatchObject({
      executed: '',
      earlyDeclined: 'other-worker',
    });
    const { worker } = new Acquaintances();
    expect(replay(acquaintances, worker, flight)).toMatchObject({
      executed: '',
      earlyDeclined: 'no-session',
    });
  });

  it('never when it is late or early by more than the window, even if the store has forgotten it', async () => {
    const { acquaintances, flight } = await capture();
    const { worker, clock } = acquaintances;
    expect(replay(acquaintances, worker, flight).executed).toBe(REQUEST.toString());
    for (let seconds = 0; seconds < 60; seconds += 5) {
      await clock.advance(5000);
      expect(replay(acquaintances, worker, flight).executed).toBe('');
    }
    expect(replay(acquaintances, worker, flight).earlyDeclined).toBe('stale');
  });

  it('not by a turned-back wall clock', async () => {
    const { acquaintances, flight } = await capture();
    const { worker, clock } = acquaintances;
    const sent = clock.now();
    expect(replay(acquaintances, worker, flight).executed).toBe(REQUEST.toString());
    await clock.advance(10 * WINDOW);
    clock.now = () => sent;
    expect(replay(acquaintances, worker, flight).executed).toBe('');
  });

  it('not within one window of the start of its worker', async () => {
    const acquaintances = new Acquaintances();
    const ways = withEarlyData(acquaintances);
    acquaintances.meet(ways.client, ways.server);
    const pair = makePair(acquaintances.options(ways.client, ways.server));
    unpause(pair.client);
    pair.client.writeEarly(REQUEST);
    const early = replay(acquaintances, acquaintances.worker, pair.client.takeOutput());
    expect(early).toMatchObject({ executed: '', kind: 'resumed', earlyDeclined: 'just-started' });
  });

  it('and by nobody who changed a bit of it', async () => {
    const { acquaintances, flight } = await capture();
    const { worker } = acquaintances;
    const hello = 5 + flight[3]! * 256 + flight[4]!;
    for (let at = 5; at < hello; at += 7) {
      const changed = flight.slice();
      changed[at]! ^= 1;
      const sessions = { ...acquaintances.serverSessions({ earlyData: { maxBytes: 1000 } }), worker };
      const server = new ServerConnection(serverConfig({ sessions }), () => undefined);
      server.receive(changed);
      unpause(server);
      expect(Buffer.concat(server.takeEarlyData()).toString()).toBe('');
    }
    expect(replay(acquaintances, worker, flight).executed).toBe(REQUEST.toString());
  });
});
