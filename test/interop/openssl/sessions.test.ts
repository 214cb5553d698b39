import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Child, needs, startChild } from '../../support/child.ts';
import { readLine as line } from '../../support/bytes.ts';
import { type ClientOptions, dial, type ServerOptions, startServer, trust } from '../../support/engine.ts';
import { eventually } from '../../support/patience.ts';
import { clientSessions, serverSessions } from '../../support/sessions.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { authority, CLIENT_ID, leaf, offering, SERVER_ID, showing, SUITES, trusting } from './commands.ts';

beforeEach((context) => needs(context, 'openssl'));

const folder = temporaryFolder('openssl-sessions');
const notAfter = Date.now() + 3_600_000;
const serverCredential = { ...leaf(SERVER_ID, 'ec-p256').credential, notAfter };
const clientCredential = { ...leaf(CLIENT_ID, 'ec-p256').credential, notAfter };

describe('openssl s_client goes on with a session of our server', () => {
  const client = [...showing(leaf(CLIENT_ID, 'ec-p256')), ...trusting(authority)];
  const sClient = (port: number, ...args: string[]): Child =>
    startChild('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...client, ...args]);
  const serving = (): ServerOptions => ({
    credential: serverCredential,
    clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
    sessions: serverSessions({ earlyData: { maxBytes: 1000 } }),
  });

  /** Leaves a session in a file. What it prints of tickets comes in blocks, so a line of data may not begin a line. */
  async function meet(port: number, session: string, ...args: string[]): Promise<void> {
    const child = sClient(port, '-sess_out', session, ...args);
    child.write('over the wall\n');
    await child.says(/over the wall$/m);
    child.write('Q\n');
    await child.ended();
    expect(child.output).toMatch(/^\s*Max Early Data: 1000$/m);
  }

  test.for(SUITES)('%s', async (suite) => {
    const session = join(folder, `client-${suite}.pem`);
    const { port, next } = await startServer(serving());
    await meet(port, session, ...offering(suite, 'x25519'));
    await next();
    const child = sClient(port, '-sess_in', session, ...offering(suite, 'x25519'));
    child.write('again\n');
    await child.says(/again$/m);
    expect(child.output).toMatch(new RegExp(`^Reused, TLSv1.3, Cipher is ${suite}$`, 'm'));
    const { witness } = await next();
    expect(witness.session?.use).toMatchObject({ kind: 'resumed', earlyData: 'none' });
    expect(witness.peer).toEqual({ identity: CLIENT_ID, scheme: undefined });
    child.write('Q\n');
  });

  test('over a retry', async () => {
    const session = join(folder, 'retry.pem');
    const { port, next } = await startServer({ ...serving(), groups: ['secp256r1'] });
    const groups = offering('TLS_AES_128_GCM_SHA256', 'x25519', 'secp256r1');
    await meet(port, session, ...groups);
    await next();
    const child = sClient(port, '-sess_in', session, ...groups);
    child.write('again\n');
    await child.says(/again$/m);
    expect(child.output).toMatch(/^Reused, TLSv1.3/m);
    const { witness } = await next();
    expect(witness.negotiated?.helloRetry).toBe(true);
    expect(witness.session?.use.kind).toBe('resumed');
    child.write('Q\n');
  });

  test('and sends early data: taken the first time, skipped the second', async () => {
    const session = join(folder, 'early.pem');
    const request = join(folder, 'request');
    writeFileSync(request, 'early bird\n');
    const early: string[] = [];
    const { port, next } = await startServer(serving(), (stream) => {
      stream.on('earlyData', (chunk: Buffer) => early.push(chunk.toString()));
      stream.pipe(stream);
    });
    await meet(port, session);
    await next();
    const first = sClient(port, '-sess_in', session, '-early_data', request);
    first.write('awake\n');
    await first.says(/awake$/m);
    expect(first.output).toMatch(/^Early data was accepted$/m);
    const { witness } = await next();
    expect(witness.session?.use).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
    expect(early).toEqual(['early bird\n']);
    first.write('Q\n');
    const second = sClient(port, '-sess_in', session, '-early_data', request);
    second.write('late bird\n');
    await second.says(/late bird$/m);
    expect(second.output).toMatch(/^Early data was rejected$/m);
    const again = await next();
    expect(again.witness.session).toMatchObject({ use: { kind: 'resumed' }, earlyDeclined: 'replayed' });
    expect(early).toHaveLength(1);
    second.write('Q\n');
  });
});

describe('our client goes on with a session of openssl s_server', () => {
  async function sServer(...args: string[]): Promise<{ child: Child; port: number }> {
    const child = startChild('openssl', [
      's_server',
      ...['-accept', '127.0.0.1:0'],
      ...showing(leaf(SERVER_ID, 'ec-p256')),
      ...trusting(authority),
      ...args,
    ]);
    const [, port] = await child.says(/^ACCEPT 127\.0\.0\.1:(\d+)$/m);
    return { child, port: Number(port) };
  }

  async function meet(port: number, options: ClientOptions): Promise<void> {
    const { stream } = dial(port, options);
    stream.write('over the wall\n');
    expect(await line(stream)).toBe('llaw eht revo');
    await eventually(() => options.sessions!.cache.size).toBeGreaterThan(0);
    stream.end();
  }

  test.for(SUITES)('%s', async (suite) => {
    const { port } = await sServer('-rev', '-Verify', '3', ...offering(suite, 'x25519'));
    const options: ClientOptions = {
      credential: clientCredential,
      verifier: trust(authority),
      sessions: clientSessions(),
    };
    await meet(port, options);
    const { stream, witness } = dial(port, options);
    stream.write('again\n');
    expect(await line(stream)).toBe('niaga');
    expect(witness.session).toMatchObject({ use: { kind: 'resumed' }, declined: undefined });
    expect(witness.peer).toEqual({ identity: SERVER_ID, scheme: undefined });
  });

  test('over a retry', async () => {
    const { port } = await sServer('-rev', ...offering('TLS_AES_128_GCM_SHA256', 'secp256r1'));
    const options: ClientOptions = {
      verifier: trust(authority),
      sessions: clientSessions(),
      groups: ['x25519', 'secp256r1'],
      keyShares: ['x25519'],
    };
    await meet(port, options);
    const { stream, witness } = dial(port, options);
    await stream.handshake();
    expect(witness.negotiated?.helloRetry).toBe(true);
    expect(witness.session?.use.kind).toBe('resumed');
  });

  test('and sends early data', async () => {
    const { child, port } = await sServer('-early_data', '-no_anti_replay');
    const options: ClientOptions = {
      verifier: trust(authority),
      sessions: clientSessions(),
      earlyData: true,
    };
    const first = dial(port, options);
    first.stream.resume();
    await eventually(() => options.sessions!.cache.size).toBeGreaterThan(0);
    first.stream.end();
    await first.over;
    const { stream, witness } = dial(port, options, Buffer.from('early bird\n'));
    await stream.handshake();
    expect(witness.session?.use).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
    stream.write('late bird\n');
    await child.says(/^late bird$/m);
    expect(child.output).toMatch(/^early bird$/m);
  });

  test('and is refused its early data by one that takes none', async () => {
    const taking = await sServer('-early_data', '-no_anti_replay');
    const options: ClientOptions = {
      verifier: trust(authority),
      sessions: clientSessions(),
      earlyData: true,
    };
    const first = dial(taking.port, options);
    first.stream.resume();
    await eventually(() => options.sessions!.cache.size).toBeGreaterThan(0);
    // Another server: other ticket keys, so a full handshake that skips what came early.
    const { port } = await sServer('-rev');
    const { stream, witness } = dial(port, options, Buffer.from('early bird\n'));
    stream.write('late bird\n');
    expect(await line(stream)).toBe('drib etal');
    expect(witness.session).toMatchObject({ use: { kind: 'full', earlyData: 'rejected' } });
  });
});
