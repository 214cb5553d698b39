import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../support/bytes.ts';
import { type Child, needs, startChild } from '../../support/child.ts';
import { type ServerOptions, startServer, trust } from '../../support/engine.ts';
import {
  authority,
  CLIENT_ID,
  COMBINATIONS,
  GROUP_PRINTED,
  leaf,
  offering,
  SCHEME,
  SERVER_ID,
  showing,
  SIGNATURE_PRINTED,
  stranger,
  SUITES,
  trusting,
} from './commands.ts';
import { eventually } from '../../support/patience.ts';

beforeEach((context) => needs(context, 'openssl'));

/** Asks for a certificate of the authority. */
const demanding: Pick<ServerOptions, 'clientAuthentication'> = {
  clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
};
const server: ServerOptions = { credential: leaf(SERVER_ID, 'ec-p256').credential, ...demanding };
const client = leaf(CLIENT_ID, 'ec-p256');

function sClient(port: number, ...args: string[]): Child {
  return startChild('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
}

/** A line there and back, then the client's close_notify. */
async function exchange(child: Child): Promise<void> {
  child.write('over the wall\n');
  await child.says(/^over the wall$/m);
  child.write('Q\n');
}

describe('openssl s_client calls our server', () => {
  test.for(COMBINATIONS)('$suite, $group, $keyType', async ({ suite, group, keyType }) => {
    const { port, next } = await startServer({
      ...server,
      credential: leaf(SERVER_ID, keyType).credential,
    });
    const child = sClient(
      port,
      ...offering(suite, group),
      ...showing(leaf(CLIENT_ID, keyType)),
      ...trusting(authority),
    );
    const { over, witness } = await next();
    await exchange(child);

    expect(await over).toBeUndefined();
    expect(witness.negotiated).toEqual({ suite, group, helloRetry: false });
    expect(witness.peer).toEqual({ identity: CLIENT_ID, scheme: SCHEME[keyType] });
    expect(witness.closedCleanly).toBe(true);
    expect(await child.ended()).toEqual({ code: 0, signal: null });
    expect(child.output).toContain(`New, TLSv1.3, Cipher is ${suite}\n`);
    expect(child.output).toContain(`Server Temp Key: ${GROUP_PRINTED[group]}\n`);
    expect(child.output).toContain(`Peer signature type: ${SIGNATURE_PRINTED[keyType]}\n`);
    expect(child.output).toContain('Verify return code: 0 (ok)\n');
  });

  test('HelloRetryRequest: its first share is of a group that we do not take', async () => {
    const { port, next } = await startServer({ ...server, groups: ['secp256r1'] });
    const child = sClient(
      port,
      ...offering('TLS_AES_128_GCM_SHA256', 'x25519', 'secp256r1'),
      ...showing(client),
      ...trusting(authority),
      '-msg',
    );
    const { over, witness } = await next();
    await exchange(child);
    expect(await over).toBeUndefined();
    expect(witness.negotiated).toEqual({
      suite: 'TLS_AES_128_GCM_SHA256',
      group: 'secp256r1',
      helloRetry: true,
    });
    expect(child.output).toContain(`Server Temp Key: ${GROUP_PRINTED.secp256r1}\n`);
    expect(child.output.match(/>>> TLS 1\.\d, Handshake \[length \w+\], ClientHello/g)).toHaveLength(2);
  });

  test('ALPN and SNI: ours is chosen among its protocols, and we hear the name it calls', async () => {
    const { port, next } = await startServer({
      ...server,
      alpn: ['sallyport/1'],
      expectedServerName: 'p8080.mesh.test',
    });
    const child = sClient(
      port,
      ...showing(client),
      ...trusting(authority),
      ...['-alpn', 'h2,sallyport/1', '-servername', 'p8080.mesh.test'],
    );
    const { over, witness } = await next();
    await exchange(child);
    expect(await over).toBeUndefined();
    expect(witness.alpn).toBe('sallyport/1');
    expect(witness.serverName).toBe('p8080.mesh.test');
    expect(child.output).toContain('ALPN protocol: sallyport/1\n');
  });

  test.for([
    { what: 'keeps its new key to itself', command: 'k', answers: 0 },
    { what: 'asks for ours too', command: 'K', answers: 1 },
  ])('its KeyUpdate $what', async ({ command, answers }) => {
    const { port, next } = await startServer(server);
    const child = sClient(port, ...showing(client), ...trusting(authority));
    const { over, witness } = await next();
    await child.says(/Verify return code/);
    for (let round = 1; round <= 3; round += 1) {
      child.write(`${command}\n`);
      await eventually(() => child.output.match(/^KEYUPDATE$/gm)?.length).toBe(round);
      child.write(`round ${round}\n`);
      await child.says(new RegExp(`^round ${round}$`, 'm'));
    }
    child.write('Q\n');
    expect(await over).toBeUndefined();
    expect(witness.keyUpdates('received')).toBe(3);
    expect(witness.keyUpdates('sent')).toBe(3 * answers);
  });

  test.for(SUITES)('1 MiB there and back under %s', async (suite) => {
    const { port, next } = await startServer(server);
    const child = sClient(
      port,
      ...offering(suite, 'x25519'),
      ...showing(client),
      ...trusting(authority),
      '-quiet',
    );
    const data = randomBytes(2 ** 20);
    const { over } = await next();
    child.write(data);
    await eventually(() => child.stdout.length).toBe(data.length);
    expect(sha256(child.stdout)).toBe(sha256(data));
    await child.stop();
    // It was killed in the middle: no close_notify came.
    expect(await over).toMatchObject({ code: 'truncated' });
  });
});

describe('our server and openssl s_client refuse each other', () => {
  test('it shows no certificate: certificate_required', async () => {
    const { port, next } = await startServer(server);
    const child = sClient(port, ...trusting(authority));
    const { over, witness } = await next();
    expect(await over).toMatchObject({ code: 'certificate-required' });
    expect(witness.alert('sent')).toBe('certificate_required');
    await child.says(/alert certificate required.*SSL alert number 116/);
  });

  test('its certificate is of another authority: unknown_ca', async () => {
    const { port, next } = await startServer(server);
    const child = sClient(
      port,
      ...showing(stranger.makeLeaf({ spiffeId: CLIENT_ID })),
      ...trusting(authority),
    );
    const { over, witness } = await next();
    expect(await over).toMatchObject({ code: 'unknown-authority' });
    expect(witness.alert('sent')).toBe('unknown_ca');
    await child.says(/alert unknown ca.*SSL alert number 48/);
  });

  test('our certificate is of another authority: it says so, and our record names its alert', async () => {
    const { port, next } = await startServer(server);
    const child = sClient(port, ...showing(client), ...trusting(stranger));
    const { over, witness } = await next();
    expect(await over).toMatchObject({ code: 'alert-received', detail: 'unknown_ca' });
    expect(witness.alert('received')).toBe('unknown_ca');
    await child.says(/certificate verify failed/);
    expect((await child.ended()).code).toBe(1);
  });

  test.for([
    {
      wrong: 'no common suite',
      args: ['-ciphersuites', 'TLS_AES_128_CCM_SHA256'],
      reason: 'no-common-suite',
      alert: 40,
    },
    { wrong: 'no common group', args: ['-groups', 'P-521'], reason: 'no-common-group', alert: 40 },
    {
      wrong: 'no common scheme',
      args: ['-sigalgs', 'RSA-PSS+SHA256'],
      reason: 'no-common-scheme',
      alert: 40,
    },
    { wrong: 'no common ALPN', args: ['-alpn', 'h2'], reason: 'no-common-alpn', alert: 120 },
    {
      wrong: 'another server name',
      args: ['-servername', 'p1.mesh.test'],
      reason: 'server-name-mismatch',
      alert: 112,
    },
    { wrong: 'TLS 1.2 only', args: ['-tls1_2'], reason: 'no-common-version', alert: 70 },
  ])('$wrong: $reason', async ({ args, reason, alert }) => {
    const { port, next } = await startServer({
      ...server,
      alpn: ['sallyport/1'],
      expectedServerName: 'p8080.mesh.test',
    });
    const right = ['-alpn', 'sallyport/1', '-servername', 'p8080.mesh.test'];
    const child = sClient(port, ...showing(client), ...trusting(authority), ...right, ...args);
    const { over } = await next();
    expect(await over).toMatchObject({ code: reason });
    await child.says(new RegExp(`SSL alert number ${alert}\\b`));
  });
});
