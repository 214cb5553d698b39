import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import {
  connectStreams,
  Loopback,
  memoryTransports,
  readAll,
  settle,
  startStreams,
} from '../testing/streams.ts';

const MEBIBYTE = 2 ** 20;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe.each(['sync', 'async'] as const)('two streams whose signers and verifiers are %s', (timing) => {
  it('carry data both ways, and end', async () => {
    const { client, server } = await connectStreams(memoryTransports(), { timing });
    client.end('ping');
    server.end('pong');
    expect((await readAll(server)).toString()).toBe('ping');
    expect((await readAll(client)).toString()).toBe('pong');
    expect(client.peer?.identity).toBe('test:server');
    expect(server.peer?.identity).toBe('test:client');
    expect([client.alpn, server.alpn]).toEqual(['sallyport/1', 'sallyport/1']);
  });

  it('keep what is written before the handshake is complete', async () => {
    const { client, server } = startStreams(memoryTransports(), { timing });
    client.write('early ');
    client.write('bird');
    server.write('worm');
    client.end();
    server.end();
    expect((await readAll(server)).toString()).toBe('early bird');
    expect((await readAll(client)).toString()).toBe('worm');
  });

  it('may be ended before the handshake is complete', async () => {
    const { client, server } = startStreams(memoryTransports(), { timing });
    client.end();
    server.end();
    expect((await Promise.all([readAll(client), readAll(server)])).map((all) => all.length)).toEqual([0, 0]);
    await expect(client.handshake()).resolves.toBeUndefined();
  });
});

describe('streams over sockets', () => {
  it('carry megabytes both ways at once', async () => {
    using loopback = await Loopback.open();
    const { client, server } = await connectStreams(await loopback.pair(), { timing: 'async' });
    const [up, down] = [randomBytes(5 * MEBIBYTE), randomBytes(4 * MEBIBYTE + 1)];
    const sent = Promise.all([
      pipeline(parts(up), client, { end: true }),
      pipeline(parts(down), server, { end: true }),
    ]);
    const [gotUp, gotDown] = await Promise.all([readAll(server), readAll(client)]);
    await sent;
    expect([sha256(gotUp), sha256(gotDown)]).toEqual([sha256(up), sha256(down)]);
  });

  it('carry what is corked in one write', async () => {
    const { client, server } = await connectStreams(memoryTransports());
    client.cork();
    for (let index = 0; index < 100; index += 1) client.write(`${index},`);
    client.uncork();
    client.end();
    expect((await readAll(server)).toString()).toBe(
      Array.from({ length: 100 }, (_, index) => `${index},`).join(''),
    );
  });
});

describe('many small writes', () => {
  it('become few records and few writes of the socket', async () => {
    using loopback = await Loopback.open();
    const transports = await loopback.pair();
    const { client, server } = await connectStreams(transports);
    const writes = vi.spyOn(transports.client, 'write');
    const before = transports.client.bytesWritten;
    const all = randomBytes(64 * 1024);
    for (let at = 0; at < all.length; at += 256) client.write(all.subarray(at, at + 256));
    client.end();
    expect((await readAll(server)).equals(all)).toBe(true);
    // The first one, what came meanwhile, and close_notify; each full record has 22 bytes of its own.
    expect(writes.mock.calls.length).toBeLessThan(8);
    expect(transports.client.bytesWritten - before).toBeLessThan(all.length + 12 * 22);
    server.end();
  });

  it('of many connections at once, some of which stall and some of which break, never mix', async () => {
    using loopback = await Loopback.open();
    const pairs = [];
    for (let count = 0; count < 12; count += 1) {
      const transports = await loopback.pair();
      pairs.push({ transports, ...(await connectStreams(transports)) });
    }
    const sent = pairs.map(() => randomBytes(MEBIBYTE));
    const received = pairs.map(async ({ server }, index) => {
      // More is on its way then than the kernel takes: buffers stay lent.
      if (index % 3 === 1) await settle();
      return index % 3 === 2 ? undefined : readAll(server);
    });
    pairs.forEach(({ client, transports }, index) => {
      Readable.from(slices(sent[index]!)).pipe(client);
      if (index % 3 === 2) setImmediate(() => transports.server.resetAndDestroy());
    });
    for (const [index, bytes] of (await Promise.all(received)).entries()) {
      if (bytes !== undefined) expect(sha256(bytes)).toBe(sha256(sent[index]!));
    }
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  });
});

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = [17, 1024, 16_384, 70_000][turn % 4]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe('backpressure', () => {
  const CHUNK = Buffer.alloc(64 * 1024, 7);
  /** What buffers below and above TLS may take in memory, a chunk or two in each place. */
  const MOST = 8 * CHUNK.length;

  it.each(['client', 'server'] as const)(
    'stops what the %s sends while nobody reads, and goes on after',
    async (side) => {
      const pair = await connectStreams(memoryTransports());
      const [writer, reader] = side === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
      const { accepted, stop } = writeOn(writer, CHUNK);
      await settle();
      await settle();
      const stalledAt = accepted();
      expect(stalledAt).toBeLessThanOrEqual(MOST);
      await settle();
      expect(accepted()).toBe(stalledAt);
      expect(reader.readableLength).toBeLessThanOrEqual(MOST);

      let read = 0;
      reader.on('data', (chunk: Buffer) => {
        read += chunk.length;
      });
      await settle();
      expect(accepted()).toBeGreaterThan(stalledAt);
      stop();
      await new Promise((resolve) => reader.once('end', resolve));
      expect(read).toBe(accepted());
    },
  );

  it('stops the sender also when the reader has read some and then pauses', async () => {
    const { client, server } = await connectStreams(memoryTransports());
    const { accepted, stop } = writeOn(client, CHUNK);
    await new Promise((resolve) => server.once('data', resolve));
    server.pause();
    await settle();
    await settle();
    const stalledAt = accepted();
    await settle();
    expect(accepted()).toBe(stalledAt);
    expect(server.readableLength).toBeLessThanOrEqual(MOST);
    server.resume();
    stop();
    await new Promise((resolve) => server.once('end', resolve));
  });

  it('over sockets stops too, whatever the kernel takes', async () => {
    using loopback = await Loopback.open();
    const { client, server } = await connectStreams(await loopback.pair());
    const { accepted, stop } = writeOn(client, CHUNK);
    const stalledAt = await steady(accepted);
    expect(server.readableLength).toBeLessThanOrEqual(MOST);
    server.resume();
    while (accepted() === stalledAt) await settle();
    stop();
    await new Promise((resolve) => server.once('end', resolve));
    server.end();
    await new Promise((resolve) => client.resume().once('close', resolve));
  });
});

/** Writes without end, each chunk after the one before was taken; `stop` ends the stream. */
function writeOn(stream: Duplex, chunk: Buffer): { accepted: () => number; stop: () => void } {
  let total = 0;
  let stopped = false;
  const write = (): void => {
    if (stopped) {
      stream.end();
      return;
    }
    stream.write(chunk, (error) => {
      if (error) return;
      total += chunk.length;
      setImmediate(write);
    });
  };
  write();
  const stop = (): void => {
    stopped = true;
  };
  return { accepted: () => total, stop };
}

/** Waits until a number stays as it is. */
async function steady(read: () => number): Promise<number> {
  for (let previous = -1; ; ) {
    const now = read();
    if (now === previous) return now;
    previous = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function parts(bytes: Buffer): Readable {
  const size = 100_000;
  return Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    ),
  );
}
