import { getActiveResourcesInfo } from 'node:process';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { ignoreEvents } from '../events.ts';
import { clientConfig, serverConfig } from '../testing/pair.ts';
import {
  connectStreams,
  ending,
  Loopback,
  memoryTransports,
  readAll,
  settle,
  startStreams,
} from '../testing/streams.ts';
import { acceptTls, connectTls } from './index.ts';

const settings = (clock = new FakeClock()) => ({
  clock,
  handshakeTimeoutMilliseconds: 5000,
  observer: ignoreEvents,
});

/** What the client sends first, taken from the transport as a detector of protocols would. */
async function firstBytes(): Promise<{
  client: ReturnType<typeof connectTls>;
  transport: Duplex;
  head: Buffer;
}> {
  const [near, far] = duplexPair();
  const client = connectTls(near, clientConfig(), settings());
  const head = await new Promise<Buffer>((resolve) => far.once('data', resolve));
  far.pause();
  return { client, transport: far, head };
}

describe('acceptTls', () => {
  it('takes a whole ClientHello that was read before', async () => {
    const { client, transport, head } = await firstBytes();
    const server = acceptTls(transport, serverConfig(), settings(), head);
    await Promise.all([client.handshake(), server.handshake()]);
    client.end('after');
    expect((await readAll(server)).toString()).toBe('after');
  });

  it.each([1, 4, 5, 6, 100])(
    'takes %i bytes of a ClientHello that were read before, and reads the rest',
    async (length) => {
      const { client, transport, head } = await firstBytes();
      transport.unshift(head.subarray(length));
      const server = acceptTls(transport, serverConfig(), settings(), head.subarray(0, length));
      await Promise.all([client.handshake(), server.handshake()]);
      client.destroy();
    },
  );

  it('reads a transport that was paused, without any head', async () => {
    const { client, transport, head } = await firstBytes();
    transport.unshift(head);
    const server = acceptTls(transport, serverConfig(), settings());
    await Promise.all([client.handshake(), server.handshake()]);
    client.destroy();
  });

  it('does not throw for a head that is not TLS', async () => {
    const [, far] = duplexPair();
    const server = acceptTls(far, serverConfig(), settings(), Buffer.from('GET /'));
    await expect(server.handshake()).rejects.toMatchObject({ code: 'not-tls' });
  });
});

describe('many connections', () => {
  const endings: readonly ((pair: ReturnType<typeof startStreams>) => Promise<unknown>)[] = [
    async ({ client, server }) => {
      client.end('a');
      server.end('b');
      await Promise.all([readAll(client), readAll(server)]);
    },
    async ({ client, server }) => {
      await client.handshake();
      client.destroy();
      await ending(server);
    },
    async ({ client, server }) => {
      server.destroy();
      await ending(client);
    },
    async ({ client, server }) => {
      await server.handshake();
      server.write('x');
      client.destroy();
      await ending(server);
    },
  ];

  it('in memory leave no timers and no listeners on their transports', async () => {
    const clock = new FakeClock();
    const count = 1000;
    for (let index = 0; index < count; index += 1) {
      const transports = memoryTransports();
      const pair = startStreams(transports, { clock });
      if (index % endings.length > 0) [pair.client, pair.server].map((stream) => stream.resume());
      await endings[index % endings.length]!(pair);
      await Promise.all([ending(pair.client), ending(pair.server)]);
      for (const event of ['drain', 'readable'] as const) {
        expect(transports.client.listenerCount(event)).toBeLessThanOrEqual(1);
      }
    }
    await clock.advance(10_000);
    expect(clock.pendingTimers).toBe(0);
  }, 30_000);

  it('over sockets leave no sockets', async () => {
    const count = 100;
    const clock = new FakeClock();
    const sockets = (): number =>
      getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length;
    const before = sockets();
    {
      using loopback = await Loopback.open();
      const work = async (index: number): Promise<void> => {
        const pair = startStreams(await loopback.pair(), { clock });
        await endings[index % endings.length]!(pair);
        await Promise.all([ending(pair.client), ending(pair.server)]);
      };
      for (let index = 0; index < count; index += 1) await work(index);
      await clock.advance(10_000);
    }
    await settle();
    expect(sockets()).toBe(before);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that write and read much add no listeners', async () => {
    const transports = memoryTransports();
    const { client, server } = await connectStreams(transports);
    const count = (each: Duplex): number =>
      each.eventNames().reduce((sum, name) => sum + each.listenerCount(name), 0);
    const all = (): number[] => [transports.client, transports.server, client, server].map(count);
    server.resume();
    const before = all();
    for (let index = 0; index < 200; index += 1) {
      await new Promise((resolve) => client.write(Buffer.alloc(20_000), resolve));
    }
    expect(all()).toEqual(before);
    client.destroy();
  });
});
