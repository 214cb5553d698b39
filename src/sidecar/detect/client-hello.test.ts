import { connect } from 'node:tls';
import { Duplex } from 'node:stream';
import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientHelloPeek, openingOf } from './client-hello.ts';

const LONGEST = 16_384;

/** The ClientHello that node:tls sends, as somebody else's encoder makes it. */
async function clientHello(alpn: readonly string[]): Promise<Buffer> {
  const first = Promise.withResolvers<Buffer>();
  const transport = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      first.resolve(chunk);
      done();
    },
  });
  const socket = connect({ socket: transport, ALPNProtocols: [...alpn], servername: 'p80.example.org' });
  socket.on('error', () => undefined);
  const bytes = await first.promise;
  socket.destroy();
  return bytes;
}

/** RFC 8446 5.1: the same message in records of `size` bytes. */
function fragmented(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

describe('openingOf', () => {
  test('reads the protocols that a ClientHello offers', async () => {
    expect(openingOf(await clientHello(['sallyport/1']), LONGEST)).toEqual({
      kind: 'tls',
      alpn: ['sallyport/1'],
    });
    expect(openingOf(await clientHello(['h2', 'http/1.1']), LONGEST)).toEqual({
      kind: 'tls',
      alpn: ['h2', 'http/1.1'],
    });
    expect(openingOf(await clientHello([]), LONGEST)).toEqual({ kind: 'tls', alpn: [] });
  });

  test('reads it from records of any size', async () => {
    const hello = await clientHello(['sallyport/1']);
    for (const size of [1, 2, 7, 100]) {
      expect(openingOf(fragmented(hello, size), LONGEST)).toEqual({ kind: 'tls', alpn: ['sallyport/1'] });
    }
  });

  test('asks for more at every cut before the end, and for nothing after it', async () => {
    const hello = await clientHello(['sallyport/1']);
    for (const whole of [hello, fragmented(hello, 50)]) {
      for (let length = 0; length < whole.length; length += 1) {
        expect(openingOf(whole.subarray(0, length), LONGEST)).toEqual({ kind: 'incomplete' });
      }
      expect(openingOf(Buffer.concat([whole, Buffer.from('more')]), LONGEST).kind).toBe('tls');
    }
  });

  test('says the same of bytes that trickle in as of bytes that come at once', async () => {
    const hello = await clientHello(['sallyport/1']);
    for (const whole of [hello, fragmented(hello, 1), fragmented(hello, 3)]) {
      const peek = new ClientHelloPeek(LONGEST);
      for (let length = 0; length <= whole.length; length += 1) {
        const some = whole.subarray(0, length);
        expect(peek.look(some)).toEqual(openingOf(some, LONGEST));
      }
    }
  });

  test('tells plaintext by its first byte, or its second', () => {
    for (const text of ['GET / HTTP/1.1\r\n', 'S', '\x16\x04', '\x15\x03\x03\x00\x02']) {
      expect(openingOf(Buffer.from(text, 'latin1'), LONGEST)).toEqual({ kind: 'not-tls' });
    }
  });

  test('takes what cannot become a ClientHello of ours for foreign TLS instead of waiting for it', () => {
    const serverHello = Buffer.from([0x16, 3, 3, 0, 4, 2, 0, 0, 0]);
    const tooLong = Buffer.from([0x16, 3, 3, 0, 4, 1, 0xff, 0xff, 0xff]);
    const emptyRecord = Buffer.from([0x16, 3, 3, 0, 0]);
    const otherRecord = Buffer.from([0x16, 3, 3, 0, 4, 1, 0, 1, 0, 0x17, 3, 3, 0, 1]);
    for (const bytes of [serverHello, tooLong, emptyRecord, otherRecord]) {
      expect(openingOf(bytes, LONGEST)).toEqual({ kind: 'tls', alpn: [] });
    }
  });

  test('never reads past the bound', async () => {
    const hello = fragmented(await clientHello(['sallyport/1']), 1);
    expect(openingOf(hello.subarray(0, 100), 100)).toEqual({ kind: 'tls', alpn: [] });
  });

  test('answers whatever the bytes are, and answers the same for any lie in a length', async () => {
    const hello = await clientHello(['sallyport/1']);
    assert(property(uint8Array({ maxLength: 600 }), (bytes) => openingOf(bytes, LONGEST).kind !== undefined));
    for (let at = 0; at < hello.length; at += 1) {
      const lied = Buffer.from(hello);
      lied[at] = (lied[at] ?? 0) ^ 0xff;
      expect(['incomplete', 'not-tls', 'tls']).toContain(openingOf(lied, LONGEST).kind);
    }
  });
});
