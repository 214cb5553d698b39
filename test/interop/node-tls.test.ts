import { randomBytes } from 'node:crypto';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { KeyType } from '#handshake';
import { makeAuthority, type TestAuthority, type TestLeaf } from '#identity/testing';
import { readAll, readBytes, sha256 } from '../support/bytes.ts';
import {
  type ClientOptions,
  dial,
  listen,
  type ServerOptions,
  startServer,
  trust,
} from '../support/engine.ts';
import { eventually } from '../support/patience.ts';
import { clientSessions, serverSessions } from '../support/sessions.ts';

const CLIENT_ID = 'spiffe://mesh.test/ns/shop/sa/web';
const SERVER_ID = 'spiffe://mesh.test/ns/shop/sa/orders';
const SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;
const GROUPS = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'] as const;
const COMBINATIONS = SUITES.flatMap((suite) => GROUPS.map((group) => ({ suite, group })));
const KEY_TYPES: readonly KeyType[] = ['ec-p256', 'ec-p384', 'ed25519', 'rsa', 'rsa-pss'];
/** What Node calls the groups: in its options, and in getEphemeralKeyInfo. */
const CURVE = {
  X25519MLKEM768: 'X25519MLKEM768',
  x25519: 'X25519',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
} as const;
const EPHEMERAL = { secp256r1: 'prime256v1' } as const;

const authority = makeAuthority();
const stranger = makeAuthority();
const clientLeaf = authority.makeLeaf({ spiffeId: CLIENT_ID });
const serverLeaf = authority.makeLeaf({ spiffeId: SERVER_ID });

/** Ours: with a certificate, demanding one. */
const client: ClientOptions = { credential: clientLeaf.credential, verifier: trust(authority) };
const server: ServerOptions = {
  credential: serverLeaf.credential,
  clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
};

/** Node's: the same. It knows no SPIFFE IDs, so whom it reaches is not its question here. */
function nodeSide(shown: TestLeaf, trusted: TestAuthority = authority) {
  return {
    cert: shown.pem.chain,
    key: shown.pem.key,
    ca: trusted.rootPem,
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
    requestCert: true,
    rejectUnauthorized: true,
    allowHalfOpen: true,
  } as const;
}

function nodeConnect(port: number, options: tls.ConnectionOptions): tls.TLSSocket {
  const socket = tls.connect({ host: '127.0.0.1', port, ...options });
  onTestFinished(() => void socket.destroy());
  return socket;
}

interface NodeServer {
  readonly port: number;
  readonly accepted: Promise<tls.TLSSocket>;
  readonly refused: Promise<Error>;
}

async function nodeServer(options: tls.TlsOptions): Promise<NodeServer> {
  const listener = tls.createServer(options);
  const accepted = new Promise<tls.TLSSocket>((resolve) => listener.once('secureConnection', resolve));
  const refused = new Promise<Error>((resolve) => listener.once('tlsClientError', resolve));
  return { port: await listen(listener), accepted, refused };
}

function error(socket: tls.TLSSocket): Promise<NodeJS.ErrnoException> {
  return new Promise((resolve) => socket.once('error', resolve));
}

describe('node:tls calls our server', () => {
  test.for(COMBINATIONS)('$suite, $group, 1 MiB each way', async ({ suite, group }) => {
    const { port, next } = await startServer(server);
    const socket = nodeConnect(port, { ...nodeSide(clientLeaf), ciphers: suite, ecdhCurve: CURVE[group] });
    const data = randomBytes(2 ** 20);
    socket.end(data);
    expect(sha256(await readAll(socket))).toBe(sha256(data));
    const { over, witness } = await next();
    expect(await over).toBeUndefined();
    expect(witness.negotiated).toEqual({ suite, group, helloRetry: false });
    expect(witness.peer?.identity).toBe(CLIENT_ID);
  });

  test.for(KEY_TYPES)('a client and a server with %s keys, in its own words', async (keyType) => {
    const shown = authority.makeLeaf({ spiffeId: SERVER_ID, keyType });
    const { port, next } = await startServer({ ...server, credential: shown.credential });
    const socket = nodeConnect(port, {
      ...nodeSide(authority.makeLeaf({ spiffeId: CLIENT_ID, keyType })),
      ecdhCurve: 'P-256',
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.authorized).toBe(true);
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.getCipher().standardName).toBe('TLS_AES_128_GCM_SHA256');
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: EPHEMERAL.secp256r1 });
    expect(socket.getPeerCertificate().subjectaltname).toBe(`URI:${SERVER_ID}`);
    const { witness } = await next();
    await eventually(() => witness.peer?.identity).toBe(CLIENT_ID);
  });

  test('what it offers by default, ML-KEM first', async () => {
    const { port, next } = await startServer(server);
    nodeConnect(port, nodeSide(clientLeaf)).end('x');
    const { over, witness } = await next();
    expect(await over).toBeUndefined();
    expect(witness.negotiated).toMatchObject({ group: 'X25519MLKEM768', helloRetry: false });
  });

  test('HelloRetryRequest, ALPN and SNI', async () => {
    const { port, next } = await startServer({
      ...server,
      groups: ['secp256r1'],
      alpn: ['sallyport/1'],
      expectedServerName: 'p8080.mesh.test',
    });
    const socket = nodeConnect(port, {
      ...nodeSide(clientLeaf),
      ecdhCurve: 'X25519:P-256',
      ALPNProtocols: ['h2', 'sallyport/1'],
      servername: 'p8080.mesh.test',
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.alpnProtocol).toBe('sallyport/1');
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: EPHEMERAL.secp256r1 });
    const { witness } = await next();
    expect(witness.negotiated).toMatchObject({ group: 'secp256r1', helloRetry: true });
    expect(witness.serverName).toBe('p8080.mesh.test');
  });

  test('half-close: it ends first and still gets our late answer', async () => {
    const { port } = await startServer(server, (stream) => {
      void readAll(stream).then((question) => {
        setTimeout(() => stream.end(`you asked: ${question.toString()}`), 100);
      });
    });
    const socket = nodeConnect(port, nodeSide(clientLeaf));
    socket.end('anyone there?');
    expect((await readAll(socket)).toString()).toBe('you asked: anyone there?');
  });

  test('our KeyUpdates, one every 8 records, do not disturb it', async () => {
    const { port, next } = await startServer({ ...server, recordsPerKey: 8 });
    const socket = nodeConnect(port, nodeSide(clientLeaf));
    const data = randomBytes(2 ** 20);
    socket.end(data);
    expect(sha256(await readAll(socket))).toBe(sha256(data));
    const { over, witness } = await next();
    expect(await over).toBeUndefined();
    expect(witness.keyUpdates('sent')).toBeGreaterThanOrEqual(7);
  });

  test('both hold the same secrets', async () => {
    const ours: string[] = [];
    const theirs: string[] = [];
    const { port, next } = await startServer({ ...server, keyLog: (line) => void ours.push(line) });
    const socket = nodeConnect(port, nodeSide(clientLeaf));
    socket.on('keylog', (line) => void theirs.push(line.toString('latin1').trim()));
    socket.end('x');
    const { over } = await next();
    expect(await over).toBeUndefined();
    expect(ours).toHaveLength(5);
    expect(theirs).toEqual(expect.arrayContaining(ours));
  });

  test('it shows no certificate', async () => {
    const { port, next } = await startServer(server);
    const { cert: _cert, key: _key, ...anonymous } = nodeSide(clientLeaf);
    const told = error(nodeConnect(port, anonymous));
    expect(await (await next()).over).toMatchObject({ code: 'certificate-required' });
    expect(await told).toMatchObject({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  });

  test('its certificate is of another authority', async () => {
    const { port, next } = await startServer(server);
    const told = error(nodeConnect(port, nodeSide(stranger.makeLeaf({ spiffeId: CLIENT_ID }))));
    expect(await (await next()).over).toMatchObject({ code: 'unknown-authority' });
    expect(await told).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' });
  });

  test('our certificate is of another authority than it trusts', async () => {
    const { port, next } = await startServer(server);
    const told = error(nodeConnect(port, nodeSide(clientLeaf, stranger)));
    expect(await told).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' });
    const { over } = await next();
    // Node's answer to a failed check is to close without an alert, by FIN or by reset as it happens.
    expect(await over).toMatchObject({
      code: expect.stringMatching(/^(closed-in-handshake|transport-failed)$/),
    });
  });

  test('it speaks TLS 1.2 at most', async () => {
    const { port, next } = await startServer(server);
    const options = { ...nodeSide(clientLeaf), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    const told = error(nodeConnect(port, options));
    expect(await (await next()).over).toMatchObject({ code: 'no-common-version' });
    expect(await told).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });
});

describe('our client calls node:tls', () => {
  test.for(COMBINATIONS)('$suite, $group, 1 MiB each way', async ({ suite, group }) => {
    const listener = await nodeServer({ ...nodeSide(serverLeaf), ciphers: suite, ecdhCurve: CURVE[group] });
    const { stream, witness, over } = dial(listener.port, { ...client, groups: [group] });
    const there = randomBytes(2 ** 20);
    const back = randomBytes(2 ** 20);
    stream.end(there);
    const socket = await listener.accepted;
    expect(socket.getCipher().standardName).toBe(suite);
    expect(socket.authorized).toBe(true);
    socket.end(back);
    const [received, arrived] = await Promise.all([readAll(stream), readAll(socket)]);
    expect(sha256(received)).toBe(sha256(back));
    expect(sha256(arrived)).toBe(sha256(there));
    expect(await over).toBeUndefined();
    expect(witness.negotiated).toEqual({ suite, group, helloRetry: false });
  });

  test.for(KEY_TYPES)('a client and a server with %s keys', async (keyType) => {
    const listener = await nodeServer(nodeSide(authority.makeLeaf({ spiffeId: SERVER_ID, keyType })));
    const credential = authority.makeLeaf({ spiffeId: CLIENT_ID, keyType }).credential;
    const { witness } = dial(listener.port, { ...client, credential });
    const socket = await listener.accepted;
    expect(socket.getPeerCertificate().subjectaltname).toBe(`URI:${CLIENT_ID}`);
    expect(witness.peer?.identity).toBe(SERVER_ID);
  });

  test('HelloRetryRequest, ALPN and SNI', async () => {
    const listener = await nodeServer({
      ...nodeSide(serverLeaf),
      ecdhCurve: 'P-256',
      ALPNProtocols: ['sallyport/1', 'h2'],
    });
    const names = { alpn: ['sallyport/1'], serverName: 'p8080.mesh.test' };
    const { stream, witness } = dial(listener.port, { ...client, ...names });
    await stream.handshake();
    expect(witness.negotiated).toMatchObject({ group: 'secp256r1', helloRetry: true });
    expect(stream.alpn).toBe('sallyport/1');
    const socket = await listener.accepted;
    expect(socket.alpnProtocol).toBe('sallyport/1');
    // @types/node lacks it on TLSSocket.
    expect((socket as tls.TLSSocket & { servername: string }).servername).toBe('p8080.mesh.test');
  });

  test('half-close: we end first and still get its late answer', async () => {
    const listener = await nodeServer(nodeSide(serverLeaf));
    const { stream, over } = dial(listener.port, client);
    stream.end('anyone there?');
    const socket = await listener.accepted;
    const question = await readAll(socket);
    setTimeout(() => socket.end(`you asked: ${question.toString()}`), 100);
    expect((await readAll(stream)).toString()).toBe('you asked: anyone there?');
    expect(await over).toBeUndefined();
  });

  test('our KeyUpdates, one every 8 records, do not disturb it', async () => {
    const listener = await nodeServer(nodeSide(serverLeaf));
    const { stream, witness } = dial(listener.port, { ...client, recordsPerKey: 8 });
    const data = randomBytes(2 ** 20);
    const socket = await listener.accepted;
    for (let at = 0; at < data.length; at += 2 ** 16) stream.write(data.subarray(at, at + 2 ** 16));
    expect(sha256(await readBytes(socket, data.length))).toBe(sha256(data));
    expect(witness.keyUpdates('sent')).toBeGreaterThanOrEqual(7);
  });

  test('both hold the same secrets', async () => {
    const listener = tls.createServer(nodeSide(serverLeaf));
    const theirs: string[] = [];
    listener.on('keylog', (line: Buffer) => void theirs.push(line.toString('latin1').trim()));
    listener.on('secureConnection', (socket) => socket.end());
    const ours: string[] = [];
    const { stream, over } = dial(await listen(listener), {
      ...client,
      keyLog: (line) => void ours.push(line),
    });
    stream.resume().end();
    expect(await over).toBeUndefined();
    expect(ours).toHaveLength(5);
    expect(theirs).toEqual(expect.arrayContaining(ours));
  });

  test('its certificate is of another authority', async () => {
    const listener = await nodeServer(nodeSide(stranger.makeLeaf({ spiffeId: SERVER_ID })));
    const { over } = dial(listener.port, client);
    expect(await over).toMatchObject({ code: 'unknown-authority' });
    expect(await listener.refused).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' });
  });

  test('our certificate is of another authority than it trusts', async () => {
    const listener = await nodeServer(nodeSide(serverLeaf, stranger));
    const { stream, over } = dial(listener.port, client);
    stream.resume();
    expect(await over).toMatchObject({ code: expect.stringMatching(/^(truncated|transport-failed)$/) });
    await listener.refused;
  });

  test('we show no certificate', async () => {
    const listener = await nodeServer(nodeSide(serverLeaf));
    const { stream, over } = dial(listener.port, { verifier: client.verifier });
    stream.resume();
    expect(await over).toMatchObject({ code: 'alert-received', detail: 'certificate_required' });
    await listener.refused;
  });

  test('it speaks TLS 1.2 at most', async () => {
    const options = { ...nodeSide(serverLeaf), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    const listener = await nodeServer(options);
    const { over } = dial(listener.port, client);
    expect(await over).toMatchObject({ code: 'alert-received', detail: 'protocol_version' });
    expect(await listener.refused).toMatchObject({ code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' });
  });
});

describe('sessions between node:tls and us', () => {
  const notAfter = Date.now() + 3_600_000;

  test('node:tls goes on with a session of our server', async () => {
    const { port, next } = await startServer({
      ...server,
      credential: { ...serverLeaf.credential, notAfter },
      sessions: serverSessions(),
    });
    const first = nodeConnect(port, nodeSide(clientLeaf));
    const session = await new Promise<Buffer>((resolve) => {
      first.once('session', resolve);
      first.resume();
    });
    first.end();
    await next();
    const second = nodeConnect(port, { ...nodeSide(clientLeaf), session });
    second.write('again');
    expect(String(await new Promise((resolve) => second.once('data', resolve)))).toBe('again');
    expect(second.isSessionReused()).toBe(true);
    const { witness } = await next();
    expect(witness.session).toMatchObject({ use: { kind: 'resumed' }, declined: undefined });
    expect(witness.peer).toEqual({ identity: CLIENT_ID, scheme: undefined });
  });

  test('we go on with a session of a node:tls server', async () => {
    const listener = tls.createServer(nodeSide(serverLeaf), (socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    const port = await listen(listener);
    const sessions = clientSessions();
    const options = { ...client, credential: { ...clientLeaf.credential, notAfter }, sessions };
    const first = dial(port, options);
    first.stream.resume();
    await eventually(() => sessions.cache.size).toBeGreaterThan(0);
    first.stream.end();
    const { stream, witness } = dial(port, options);
    stream.write('again');
    expect(String(await new Promise((resolve) => stream.once('data', resolve)))).toBe('again');
    expect(witness.session).toMatchObject({ use: { kind: 'resumed' }, declined: undefined });
    expect(witness.peer).toEqual({ identity: SERVER_ID, scheme: undefined });
  });
});
