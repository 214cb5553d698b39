import { describe, expect, it } from 'vitest';
import type { ExtensionName } from './extensions/placement.ts';
import { ConfigError } from './parameters.ts';
import { HEADER_LENGTH } from './record/header.ts';
import { editClientHello, editEncryptedExtensions } from './testing/edit.ts';
import { establishedPair, exchange, makePair, received } from './testing/pair.ts';
import { tamperWith, TamperingEngine } from './testing/tampering-engine.ts';
import { attack, expectRefusal, victimClient, victimServer } from './testing/victim.ts';
import { splitRecords } from './testing/wire.ts';
import { u8, u16 } from './wire/writer.ts';

const DATA = new Uint8Array(20_000).fill(7);
/** Header, content type and tag. */
const OVERHEAD = HEADER_LENGTH + 17;

/** Lengths of the content, with padding, of each record. */
function contents(sealed: Uint8Array): number[] {
  return splitRecords(sealed).map((each) => each.length - OVERHEAD);
}

describe('our own record size', () => {
  it('is at most maxFragment, and the data comes over whole', () => {
    const { client, server } = establishedPair({ client: { maxFragment: 512 } });
    client.write(DATA);
    const sealed = client.takeOutput();
    expect(Math.max(...contents(sealed))).toBe(512);
    server.receive(sealed);
    expect(received(server)).toEqual(Buffer.from(DATA));
  });

  it.each([63, 16_385, 100.5])('cannot be %d', (maxFragment) => {
    expect(() => makePair({ client: { maxFragment } })).toThrow(ConfigError);
  });
});

describe('padding (RFC 8446 5.4)', () => {
  it.each([
    [1, 256],
    [255, 256],
    [256, 256],
    [257, 512],
  ])('fills %d bytes up to %d', (length, padded) => {
    const { client, server } = establishedPair({ client: { padTo: 256 } });
    client.write(DATA.subarray(0, length));
    const sealed = client.takeOutput();
    expect(contents(sealed)).toEqual([padded]);
    server.receive(sealed);
    expect(received(server)).toHaveLength(length);
  });

  it('never goes beyond a record, and leaves alerts and handshake messages alone', () => {
    const { client, server } = establishedPair({ client: { padTo: 10_000 } });
    client.write(DATA);
    const sealed = client.takeOutput();
    expect(contents(sealed)).toEqual([16_384, 10_000]);
    server.receive(sealed);
    expect(received(server)).toEqual(Buffer.from(DATA));
    client.close();
    expect(contents(client.takeOutput())).toEqual([2]);
  });

  it.each([0, 16_385, 1.5])('cannot be to a multiple of %d', (padTo) => {
    expect(() => makePair({ client: { padTo } })).toThrow(ConfigError);
  });
});

/** A server, and a client that asks it for this. */
function asked(name: ExtensionName, body: Uint8Array) {
  const victim = victimServer();
  const add = editClientHello(({ extensions }) => extensions.add(name, body));
  const change = tamperWith('client_hello', add);
  const engine = TamperingEngine.client(change, 'sent');
  return { victim, engine };
}

describe('record sizes that a client asks for', () => {
  it.each([
    ['record_size_limit', u16(65), 64],
    ['record_size_limit', u16(1025), 1024],
    ['record_size_limit', u16(0xffff), 16_384],
    ['max_fragment_length', u8(1), 512],
    ['max_fragment_length', u8(4), 4096],
  ] as const)('%s %j: the server keeps to %d bytes', (name, body, limit) => {
    const { victim, engine } = asked(name, body);
    const { connection } = victim;
    connection.receive(engine.takeOutput());
    while (connection.pending !== undefined) connection.resume(connection.pending.run() as never);
    const [, ...flight] = splitRecords(connection.takeOutput());
    // The first record is the ServerHello in the clear, the second the dummy change_cipher_spec.
    for (const each of flight.slice(1)) expect(each.length - OVERHEAD).toBeLessThanOrEqual(limit);
  });

  it.each([
    ['record_size_limit', u16(63), 'illegal-parameter', 'illegal_parameter'],
    ['record_size_limit', u8(1), 'malformed-message', 'decode_error'],
    ['max_fragment_length', u8(0), 'illegal-parameter', 'illegal_parameter'],
    ['max_fragment_length', u8(5), 'illegal-parameter', 'illegal_parameter'],
    ['max_fragment_length', u16(1), 'malformed-message', 'decode_error'],
  ] as const)('%s %j is refused', (name, body, code, alert) => {
    const { victim, engine } = asked(name, body);
    expectRefusal(attack(victim, engine), code, alert);
  });

  it('are answered only if asked for: a client that did not ask takes no answer (RFC 8449 4)', () => {
    const { client, server } = makePair();
    exchange(client, server);
    expect(client.established).toBe(true);
    const answer = editEncryptedExtensions((extensions) => extensions.add('record_size_limit', u16(100)));
    const victim = victimClient();
    const engine = TamperingEngine.server(tamperWith('encrypted_extensions', answer), 'sent');
    expectRefusal(attack(victim, engine), 'unsolicited-extension', 'unsupported_extension');
  });
});
