import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClientConfig, ignoreEvents, REASONS, type ServerConfig, type VerifiedPeer } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { connectTls } from '#handshake/stream';
import { credentialOf, FakeVerifier, makeIdentity } from '#handshake/testing';
import { err, ok, Scope, silentLog, systemClock } from '#runtime';
import {
  type CallOptions,
  DISCOVERY,
  type DiscoveryHandlers,
  ISSUANCE,
  type IssuanceHandlers,
  RPC_REASONS,
  RpcChannel,
  type RpcConnection,
  type RpcEvent,
  RpcServer,
  type RpcServerConfig,
  serve,
  statusError,
} from './index.ts';

const server = makeIdentity('server');
const alice = makeIdentity('alice');
const bob = makeIdentity('bob');
const believed = new FakeVerifier([server, alice, bob]);

let scope: Scope;
let channels: RpcChannel[];
let events: RpcEvent[];
const failures: unknown[] = [];

beforeEach(() => {
  scope = new Scope('test', (error) => failures.push(error));
  channels = [];
  events = [];
});
afterEach(async () => {
  for (const channel of channels) channel.close();
  await scope.close();
  expect(failures.splice(0)).toEqual([]);
});

const CALL: CallOptions = { timeoutMilliseconds: 5000, signal: new AbortController().signal };

/** Answers with who asked; a token "refuse" is refused, "throw" throws, "wait" waits for the end. */
function services(connection: RpcConnection) {
  const handlers: IssuanceHandlers = {
    Issue: connection.unary(async (request, { signal }) => {
      if (request.token === 'throw') throw new Error('secret inside');
      if (request.token === 'wait') await once(signal, 'abort');
      if (request.token === 'refuse') {
        return err({ status: 'PERMISSION_DENIED', reason: RPC_REASONS['rpc-not-ready'], detail: 'läden\n5' });
      }
      const who = `${connection.peer?.identity ?? 'nobody'} at ${connection.remoteAddress}`;
      return ok({ chain: [Buffer.from(who), request.certificateRequest], authorityTime: 1_800_000_000_000 });
    }),
    Renew: connection.unary(async () => ok({})),
  };
  const watch: DiscoveryHandlers = {
    Watch: (stream) => {
      stream.on('data', () => stream.write({}));
      stream.on('end', () => stream.emit('error', statusError(REFUSED)));
    },
  };
  return [serve(ISSUANCE, handlers), serve(DISCOVERY, watch)];
}

const REFUSED = { status: 'UNAVAILABLE', reason: RPC_REASONS['rpc-timeout'], detail: '' } as const;

async function listen(changes: Partial<RpcServerConfig<VerifiedPeer>> = {}): Promise<RpcServer> {
  // A server of an earlier test may still have something to tell.
  const told = events;
  return RpcServer.listen(scope, {
    host: '127.0.0.1',
    port: 0,
    tls: serverTls,
    services,
    clock: systemClock,
    log: silentLog,
    onEvent: (event) => told.push(event),
    ...changes,
  });
}

function serverTls(): Omit<ServerConfig, 'alpn'> {
  return {
    crypto: nodeProvider,
    credential: credentialOf(server),
    clientAuthentication: { mode: 'request', required: false, verifier: believed },
  };
}

function open(port: number, changes: Partial<ClientConfig> = {}): RpcChannel {
  const channel = new RpcChannel({
    target: { host: '127.0.0.1', port },
    tls: () => ({ crypto: nodeProvider, verifier: believed, ...changes }),
    clock: systemClock,
  });
  channels.push(channel);
  return channel;
}

async function who(channel: RpcChannel): Promise<string> {
  const answer = await channel.unary(
    ISSUANCE.Issue,
    { certificateRequest: Buffer.of(1, 2), token: '' },
    CALL,
  );
  if (!answer.ok) throw new Error(`${answer.error.reason.code}: ${answer.error.detail}`);
  expect(answer.value.chain[1]).toEqual(Buffer.of(1, 2));
  expect(answer.value.authorityTime).toBe(1_800_000_000_000);
  return answer.value.chain[0]!.toString();
}

test('a handler learns who called on its own connection: nobody, or whom the certificate proved', async () => {
  const { port } = await listen();
  const nobody = open(port);
  const [first, second] = [alice, bob].map((each) => open(port, { credential: credentialOf(each) }));
  const answers = await Promise.all(
    [nobody, first!, second!, first!, nobody, second!].map((channel) => who(channel)),
  );
  expect(answers).toEqual(
    ['nobody', 'test:alice', 'test:bob', 'test:alice', 'nobody', 'test:bob'].map(
      (name) => `${name} at 127.0.0.1`,
    ),
  );
});

test('a refusal comes with its reason and detail; a fault tells the caller nothing', async () => {
  const channel = open((await listen()).port);
  const refused = await channel.unary(ISSUANCE.Issue, { token: 'refuse' }, CALL);
  expect(refused).toMatchObject({ error: { remoteCode: 'rpc-not-ready', detail: 'läden\\u{a}5' } });
  const failed = await channel.unary(ISSUANCE.Issue, { token: 'throw' }, CALL);
  expect(failed).toMatchObject({ error: { reason: { code: 'rpc-failed' }, remoteCode: undefined } });
  expect(JSON.stringify(failed)).not.toContain('secret');
});

test('streams go both ways and end with a reason', async () => {
  const channel = open((await listen()).port);
  const stream = channel.bidirectional(DISCOVERY.Watch);
  stream.write({});
  await once(stream, 'data');
  const ended = once(stream, 'error');
  stream.end();
  const [error] = await ended;
  expect(channel.failure(error)).toMatchObject({ remoteCode: 'rpc-timeout' });
});

test('the server must prove to be whom the client expects, and no call leaves before', async () => {
  const { port } = await listen();
  const channel = open(port, { verifier: new FakeVerifier([alice]) });
  const answer = await channel.unary(ISSUANCE.Issue, {}, CALL);
  expect(answer).toMatchObject({ error: { reason: { code: 'unknown-test-certificate' } } });
  expect(events.filter(({ type }) => type === 'opened')).toEqual([]);
});

test('a client certificate that is not believed ends the connection before any call', async () => {
  const { port } = await listen();
  const channel = open(port, { credential: credentialOf(makeIdentity('mallory')) });
  const answer = await channel.unary(ISSUANCE.Issue, {}, CALL);
  expect(answer).toMatchObject({ ok: false, error: { reason: { code: 'alert-received' } } });
  expect(events[0]).toMatchObject({ refusal: { reason: { code: 'unknown-test-certificate' } } });
  expect(events.filter(({ type }) => type !== 'refused')).toEqual([]);
});

test('a connection ends when the certificate that it was opened with does', async () => {
  const ending = makeIdentity('ending');
  Object.assign(ending, { peer: { ...ending.peer, notAfter: Date.now() + 500 } });
  const verifier = new FakeVerifier([ending]);
  const { port } = await listen({
    tls: () => ({ ...serverTls(), clientAuthentication: { mode: 'request', required: false, verifier } }),
  });
  const channel = open(port, { credential: credentialOf(ending) });
  const call = await channel.unary(ISSUANCE.Issue, { token: 'wait' }, CALL);
  expect(call.ok).toBe(false);
  await expect.poll(() => events.some(({ type }) => type === 'closed')).toBe(true);
});

test('a connection without a certificate is for a short time', async () => {
  const { port } = await listen({ limits: { anonymousMilliseconds: 200 } });
  const call = await open(port).unary(ISSUANCE.Issue, { token: 'wait' }, CALL);
  expect(call.ok).toBe(false);
});

test('connections are bounded, in all and for each address, and come back when others end', async () => {
  const { port } = await listen({ limits: { connectionsPerAddress: 2 } });
  const [first, second, third] = [open(port), open(port), open(port)];
  await who(first);
  await who(second);
  const refused = await third.unary(ISSUANCE.Issue, {}, { ...CALL, timeoutMilliseconds: 300 });
  expect(refused.ok).toBe(false);
  expect(events.find(({ type }) => type === 'refused')).toMatchObject({
    refusal: { reason: { code: 'rpc-too-many-connections' } },
  });
  first.close();
  await expect.poll(() => events.some(({ type }) => type === 'closed')).toBe(true);
  expect(await who(open(port))).toContain('nobody');
});

test('messages are bounded', async () => {
  const channel = open((await listen({ limits: { messageBytes: 1000 } })).port);
  const answer = await channel.unary(ISSUANCE.Issue, { certificateRequest: Buffer.alloc(2000) }, CALL);
  expect(answer).toMatchObject({ error: { detail: expect.stringContaining('RESOURCE_EXHAUSTED') } });
});

test('a server without a certificate of its own takes no connections', async () => {
  const { port } = await listen({ tls: () => undefined });
  const answer = await open(port).unary(ISSUANCE.Issue, {}, CALL);
  expect(answer).toMatchObject({ error: { reason: { blame: 'network' } } });
  expect(events[0]).toMatchObject({ refusal: { reason: { code: 'rpc-not-ready' } } });
});

test('who does not agree on HTTP/2 is refused', async () => {
  const { port } = await listen();
  const socket = net.connect(port, '127.0.0.1');
  const stream = connectTls(
    socket,
    { crypto: nodeProvider, verifier: believed, alpn: [] },
    { clock: systemClock, handshakeTimeoutMilliseconds: 5000, observer: ignoreEvents },
  );
  stream.resume();
  const [error] = await new Promise<unknown[]>((resolve) => stream.on('error', (each) => resolve([each])));
  expect(error).toMatchObject({ reason: REASONS['alert-received'], detail: 'no_application_protocol' });
  expect(events).toMatchObject([{ refusal: { reason: { code: 'no-common-alpn' } } }]);
});

test('a call ends with its deadline, its signal or the time that the server allows', async () => {
  const channel = open((await listen({ limits: { callMilliseconds: 300 } })).port);
  const late = await channel.unary(ISSUANCE.Issue, { token: 'wait' }, { ...CALL, timeoutMilliseconds: 200 });
  expect(late).toMatchObject({ error: { reason: { code: 'rpc-timeout' } } });
  const stop = new AbortController();
  const stopped = channel.unary(ISSUANCE.Issue, { token: 'wait' }, { ...CALL, signal: stop.signal });
  setTimeout(() => stop.abort(), 50);
  expect((await stopped).ok).toBe(false);
  // The handler above goes on when its signal aborts.
  expect((await channel.unary(ISSUANCE.Issue, { token: 'wait' }, CALL)).ok).toBe(true);
});

test('draining lets a call finish and takes no new connection', async () => {
  const running = await listen();
  const channel = open(running.port);
  await who(channel);
  const call = channel.unary(ISSUANCE.Issue, { token: 'wait' }, CALL);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = performance.now();
  const { port } = running;
  const drained = running.drain(500);
  expect((await open(port).unary(ISSUANCE.Issue, {}, CALL)).ok).toBe(false);
  await drained;
  expect(performance.now() - started).toBeGreaterThan(400);
  expect((await call).ok).toBe(false);
  expect(running.connections.size).toBe(0);
});
