import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { makeAuthority } from '#identity/testing';
import { type Child, needs, startChild } from '../../support/child.ts';
import { readBytes, readLine as line, sha256 } from '../../support/bytes.ts';
import { type ClientOptions, dial, trust } from '../../support/engine.ts';
import {
  authority,
  CLIENT_ID,
  COMBINATIONS,
  files,
  leaf,
  offering,
  SCHEME,
  SERVER_ID,
  showing,
  SIGNATURE_PRINTED,
  stranger,
  trusting,
} from './commands.ts';
import { eventually } from '../../support/patience.ts';

beforeEach((context) => needs(context, 'openssl'));

const client: ClientOptions = {
  credential: leaf(CLIENT_ID, 'ec-p256').credential,
  verifier: trust(authority),
};
const server = leaf(SERVER_ID, 'ec-p256');
/** It asks for a client certificate and ends without a good one. */
const DEMANDING = ['-Verify', '3'];

async function sServer(...args: string[]): Promise<{ child: Child; port: number }> {
  const child = startChild('openssl', ['s_server', '-accept', '127.0.0.1:0', ...args]);
  const [, port] = await child.says(/^ACCEPT 127\.0\.0\.1:(\d+)$/m);
  return { child, port: Number(port) };
}

/** It tells what was negotiated only if its standard input stays silent until then. */
function connected(child: Child): Promise<unknown> {
  return child.says(/^Shared groups: .*$/m);
}

describe('our client calls openssl s_server', () => {
  test.for(COMBINATIONS)('$suite, $group, $keyType', async ({ suite, group, keyType }) => {
    const { child, port } = await sServer(
      '-rev',
      ...offering(suite, group),
      ...showing(leaf(SERVER_ID, keyType)),
      ...trusting(authority),
      ...DEMANDING,
    );
    const { stream, witness, over } = dial(port, {
      ...client,
      credential: leaf(CLIENT_ID, keyType).credential,
      groups: [group],
    });
    stream.write('over the wall\n');
    expect(await line(stream)).toBe('llaw eht revo');
    stream.end();
    expect(await over).toBeUndefined();
    expect(witness.closedCleanly).toBe(true);

    expect(witness.negotiated).toEqual({ suite, group, helloRetry: false });
    expect(witness.peer).toEqual({ identity: SERVER_ID, scheme: SCHEME[keyType] });
    await child.says(/CONNECTION CLOSED/);
    expect(child.output).toContain('Protocol version: TLSv1.3\n');
    expect(child.output).toContain(`Ciphersuite: ${suite}\n`);
    expect(child.output).toContain(`Signature type: ${SIGNATURE_PRINTED[keyType]}\n`);
    expect(child.output).toContain('Verification: OK\n');
    expect(child.output).toContain(`Supported groups: ${group}\n`);
  });

  test('HelloRetryRequest: it does not take the group of our first share', async () => {
    const { child, port } = await sServer(
      ...offering('TLS_AES_128_GCM_SHA256', 'secp256r1'),
      ...showing(server),
      ...trusting(authority),
      ...DEMANDING,
      '-msg',
    );
    const { stream, witness, over } = dial(port, client);
    await connected(child);
    child.write('after the retry\n');
    expect(await line(stream)).toBe('after the retry');
    stream.end();
    expect(await over).toBeUndefined();
    expect(witness.negotiated).toEqual({
      suite: 'TLS_AES_128_GCM_SHA256',
      group: 'secp256r1',
      helloRetry: true,
    });
    expect(child.output.match(/<<< TLS 1\.\d, Handshake \[length \w+\], ClientHello/g)).toHaveLength(2);
    expect(child.output).toContain('Shared groups: secp256r1\n');
  });

  test('ALPN: it chooses ours among its protocols', async () => {
    const { child, port } = await sServer(...showing(server), '-alpn', 'h2,sallyport/1');
    const { stream, witness, over } = dial(port, { ...client, alpn: ['sallyport/1'] });
    await connected(child);
    child.write('hello\n');
    expect(await line(stream)).toBe('hello');
    stream.end();
    expect(await over).toBeUndefined();
    expect(witness.alpn).toBe('sallyport/1');
    await child.says(/ALPN protocols selected: sallyport\/1/);
  });

  test('SNI: it hears the name we call, and its fatal refusal of another is heard', async () => {
    // Its context for the called name takes no chain.
    const flat = makeAuthority({ intermediates: [] });
    const { chain, key } = files(flat.makeLeaf({ spiffeId: SERVER_ID }));
    const { child, port } = await sServer(
      ...['-cert', chain, '-key', key, '-cert2', chain, '-key2', key],
      ...['-servername', 'p8080.mesh.test', '-servername_fatal'],
    );
    const { stream, over } = dial(port, { verifier: trust(flat), serverName: 'p8080.mesh.test' });
    await connected(child);
    child.write('hello\n');
    expect(await line(stream)).toBe('hello');
    stream.end();
    expect(await over).toBeUndefined();
    await child.says(/Hostname in TLS extension: "p8080\.mesh\.test"/);

    const refused = dial(port, { verifier: trust(flat), serverName: 'p1.mesh.test' });
    expect(await refused.over).toMatchObject({ code: 'alert-received', detail: 'unrecognized_name' });
  });

  test.for([
    { what: 'keeps its new key to itself', command: 'k', answers: 0 },
    { what: 'asks for ours too', command: 'K', answers: 1 },
  ])('its KeyUpdate $what', async ({ command, answers }) => {
    const { child, port } = await sServer(...showing(server), ...trusting(authority), ...DEMANDING);
    const { stream, witness, over } = dial(port, client);
    stream.resume();
    for (let round = 1; round <= 3; round += 1) {
      await (round === 1 ? connected(child) : child.says(new RegExp(`^question ${round - 1}$`, 'm')));
      child.write(`${command}\n`);
      await eventually(() => witness.keyUpdates('received')).toBe(round);
      child.write(`answer ${round}\n`);
      expect(await line(stream)).toBe(`answer ${round}`);
      stream.write(`question ${round}\n`);
    }
    await child.says(/^question 3$/m);
    stream.end();
    expect(await over).toBeUndefined();
    expect(witness.keyUpdates('sent')).toBe(3 * answers);
  });

  test('1 MiB each way', async () => {
    const { child, port } = await sServer(...showing(server), ...trusting(authority), ...DEMANDING);
    const { stream } = dial(port, client);
    const there = randomDigits(2 ** 20);
    const back = randomDigits(2 ** 20);
    stream.write(there);
    await connected(child);
    child.write(back);
    const received = await readBytes(stream, back.length);
    expect(sha256(received)).toBe(sha256(back));
    await eventually(() => sha256(child.stdout.subarray(-there.length))).toBe(sha256(there));
  });

  test('its session tickets are read and passed over', async () => {
    const { child, port } = await sServer('-num_tickets', '5', ...showing(server));
    const { stream, witness, over } = dial(port, client);
    await connected(child);
    child.write('after the tickets\n');
    expect(await line(stream)).toBe('after the tickets');
    stream.end();
    expect(await over).toBeUndefined();
    const tickets = witness.events.filter(
      (event) => event.type === 'message' && event.message === 'new_session_ticket',
    );
    expect(tickets).toHaveLength(5);
  });
});

describe('our client and openssl s_server refuse each other', () => {
  test('its certificate is of another authority: unknown_ca', async () => {
    const { child, port } = await sServer(...showing(stranger.makeLeaf({ spiffeId: SERVER_ID })));
    const { over, witness } = dial(port, client);
    expect(await over).toMatchObject({ code: 'unknown-authority' });
    expect(witness.alert('sent')).toBe('unknown_ca');
    await child.says(/alert unknown ca.*SSL alert number 48/);
  });

  test('our certificate is of another authority: its alert comes after our Finished', async () => {
    const { child, port } = await sServer(...showing(server), ...trusting(authority), ...DEMANDING);
    const credential = stranger.makeLeaf({ spiffeId: CLIENT_ID }).credential;
    const { over, stream, witness } = dial(port, { ...client, credential });
    stream.resume();
    expect(await over).toMatchObject({ code: 'alert-received', detail: 'unknown_ca' });
    expect(witness.events.map((event) => event.type)).toContain('established');
    expect(witness.events.map((event) => event.type)).not.toContain('confirmed');
    await child.says(/certificate verify failed/);
  });

  test('we show no certificate: its certificate_required', async () => {
    const { child, port } = await sServer(...showing(server), ...trusting(authority), ...DEMANDING);
    const { over, stream } = dial(port, { verifier: client.verifier });
    stream.resume();
    expect(await over).toMatchObject({ code: 'alert-received', detail: 'certificate_required' });
    await child.says(/peer did not return a certificate/);
  });

  test.for([
    {
      wrong: 'no common suite',
      args: ['-ciphersuites', 'TLS_AES_128_CCM_SHA256'],
      says: 'handshake_failure',
    },
    { wrong: 'no common group', args: ['-groups', 'P-521'], says: 'handshake_failure' },
    { wrong: 'no common ALPN', args: ['-alpn', 'h2'], says: 'no_application_protocol' },
  ])('$wrong: it answers $says', async ({ args, says }) => {
    const { port } = await sServer(...showing(server), ...args);
    const { over } = dial(port, { ...client, alpn: ['sallyport/1'] });
    expect(await over).toMatchObject({ code: 'alert-received', detail: says });
  });

  test('TLS 1.2 only: no-common-version, its alert says so', async () => {
    const { child, port } = await sServer('-tls1_2', ...showing(server));
    const { over } = dial(port, client);
    expect(await over).toMatchObject({ code: 'alert-received', detail: 'protocol_version' });
    await child.says(/unsupported protocol/);
  });

  test('it asks for a certificate after the handshake: it may not, as we did not offer it', async () => {
    const { child, port } = await sServer(...showing(server), ...trusting(authority));
    const { stream, over } = dial(port, client);
    await connected(child);
    child.write('c\n');
    await child.says(/extension not received/);
    child.write('still here\n');
    expect(await line(stream)).toBe('still here');
    stream.end();
    expect(await over).toBeUndefined();
  });
});

/** Its standard input takes letters for commands. */
function randomDigits(length: number): Buffer {
  return randomBytes(length).map((byte) => 0x30 + (byte % 10)) as Buffer;
}
