import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { testProvider } from '../testing/provider.ts';
import { reasonTable, type TlsError } from '../reason.ts';
import { REASONS } from '../reasons.ts';
import {
  connectStreams,
  ending,
  HANDSHAKE_TIMEOUT_MILLISECONDS,
  Loopback,
  memoryTransports,
  readAll,
  settle,
  startStreams,
  type StreamPair,
} from '../testing/streams.ts';

const SIDES = ['client', 'server'] as const;
type Side = (typeof SIDES)[number];
const otherOf = (side: Side): Side => (side === 'client' ? 'server' : 'client');

const DENIED = reasonTable({
  denied: {
    alert: 'access_denied',
    blame: 'operator',
    rfc: '8446#6.2',
    say: 'A test does not permit this.',
    next: 'Nothing.',
  },
}).denied;

describe.each(SIDES)('when the %s ends', (side) => {
  it.each([
    ['memory', true],
    ['sockets', true],
    ['sockets of the default kind', false],
  ])('its direction, the other direction stays open over %s', async (kind, allowHalfOpen) => {
    using loopback = await Loopback.open(allowHalfOpen);
    const transports = kind === 'memory' ? memoryTransports() : await loopback.pair(allowHalfOpen);
    const pair = await connectStreams(transports);
    const [own, other] = [pair[side], pair[otherOf(side)]];
    own.end('last words');
    expect((await readAll(other)).toString()).toBe('last words');
    await settle();
    other.write('an ');
    await settle();
    other.end('answer');
    expect((await readAll(own)).toString()).toBe('an answer');
    expect(await Promise.all([ending(own), ending(other)])).toEqual(['closed', 'closed']);
    await Promise.all([transportClosed(transports.client, pair), transportClosed(transports.server, pair)]);
    expect(pair.clock.pendingTimers).toBe(0);
  });

  it('last, after FIN of the other, its transport is gone at once', async () => {
    // A transport that Node does not destroy by itself once both its directions have ended.
    const [client, server] = duplexPair({ allowHalfOpen: true, autoDestroy: false });
    const transports = { client, server };
    const pair = await connectStreams(transports);
    const [own, other] = [pair[side], pair[otherOf(side)]];
    other.resume();
    other.end();
    expect(await readAll(own)).toHaveLength(0);
    await settle();
    expect(transports[side]).toMatchObject({ readableEnded: true, destroyed: false });
    own.end();
    expect(await ending(own)).toBe('closed');
    await settle();
    expect(transports[side]).toMatchObject({ writableFinished: true, destroyed: true });
  });

  it('and then the transport breaks, the failure is told', async () => {
    using loopback = await Loopback.open();
    const transports = await loopback.pair();
    const pair = await connectStreams(transports);
    const [own, other] = [pair[side], pair[otherOf(side)]];
    own.end();
    await readAll(other);
    transports[otherOf(side)].resetAndDestroy();
    expect(await ending(own)).toBe('transport-failed');
  });
});

describe.each(SIDES)('a %s', (side) => {
  const failing = async (act: (pair: StreamPair, transports: { client: Duplex; server: Duplex }) => void) => {
    using loopback = await Loopback.open();
    const transports = await loopback.pair();
    const pair = await reading(transports);
    act(pair, transports);
    const codes = { own: await ending(pair[side]), other: await ending(pair[otherOf(side)]) };
    await Promise.all([transportClosed(transports.client, pair), transportClosed(transports.server, pair)]);
    return { ...codes, timers: pair.clock.pendingTimers };
  };

  it('that gets FIN without close_notify fails', async () => {
    const { own } = await failing((_pair, transports) => transports[otherOf(side)].end());
    expect(own).toBe('truncated');
  });

  it('that gets RST fails', async () => {
    const { own, other } = await failing((_pair, transports) =>
      (transports[otherOf(side)] as Socket).resetAndDestroy(),
    );
    expect([own, other]).toEqual(['transport-failed', 'transport-failed']);
  });

  it('that is destroyed while established shows the other a failure, never an end', async () => {
    const { own, other, timers } = await failing((pair) => {
      pair[side].write('half of a');
      pair[side].destroy();
    });
    expect([own, other]).toEqual(['closed', 'truncated']);
    expect(timers).toBe(0);
  });

  it('that is destroyed with an error ends with that error', async () => {
    const pair = await reading(memoryTransports());
    const why = new Error('because');
    pair[side].destroy(why);
    await ending(pair[side]);
    expect(pair[side].errored).toBe(why);
    expect(await ending(pair[otherOf(side)])).toBe('truncated');
  });

  it('that refuses tells the other by the alert of the reason', async () => {
    const { own, other } = await failing((pair) => pair[side].refuse(DENIED, 'by a test'));
    expect([own, other]).toEqual(['denied', 'alert-received']);
  });

  it('whose transport was ended below it does not take a write for sent', async () => {
    const transports = memoryTransports();
    const pair = await reading(transports);
    transports[side].end();
    const written = await new Promise((resolve) => pair[side].write('x', resolve));
    expect((written as TlsError).code).toBe('transport-failed');
    expect(await Promise.all([ending(pair[side]), ending(pair[otherOf(side)])])).toEqual([
      'transport-failed',
      'truncated',
    ]);
  });

  it('that refuses after both sides have ended changes nothing', async () => {
    const pair = await connectStreams(memoryTransports());
    pair.client.end();
    pair.server.end();
    await Promise.all([readAll(pair.client), readAll(pair.server)]);
    pair[side].refuse(DENIED);
    expect(await Promise.all([ending(pair.client), ending(pair.server)])).toEqual(['closed', 'closed']);
  });

  it('whose cipher breaks while it writes fails once', async () => {
    let broken = false;
    const crypto = {
      ...testProvider,
      aead: (...[name, key]: Parameters<typeof testProvider.aead>) => {
        const aead = testProvider.aead(name, key);
        const seal: typeof aead.seal = (...input) => {
          if (broken) throw new Error('no more');
          aead.seal(...input);
        };
        return { tagLength: aead.tagLength, seal, open: aead.open.bind(aead), wipe: aead.wipe.bind(aead) };
      },
    };
    const pair = await reading(memoryTransports(), { [side]: { crypto } });
    broken = true;
    const told: unknown[] = [];
    pair[side].on('error', (error) => told.push(error));
    const written = await new Promise((resolve) => pair[side].write('x', resolve));
    expect((written as TlsError).code).toBe('internal-error');
    expect(await ending(pair[side])).toBe('internal-error');
    expect(told).toHaveLength(1);
    expect(await ending(pair[otherOf(side)])).toBe('truncated');
  });
});

describe.each(SIDES)('during the handshake, a %s', (side) => {
  /** The other side is a transport on which nobody answers. */
  const alone = async () => {
    using loopback = await Loopback.open();
    const transports = await loopback.pair();
    const pair = startStreams({ ...memoryTransports(), [side]: transports[side] });
    pair[otherOf(side)].destroy();
    return { own: pair[side], peer: transports[otherOf(side)], clock: pair.clock };
  };

  it('gives up after its time, and says so', async () => {
    const { own, peer, clock } = await alone();
    const refused = expect(own.handshake()).rejects.toMatchObject({ code: 'handshake-timeout' });
    await clock.advance(HANDSHAKE_TIMEOUT_MILLISECONDS - 1);
    expect(own.destroyed).toBe(false);
    await clock.advance(1);
    await refused;
    const last = await readAll(peer);
    expect([...last.subarray(-7)]).toEqual([21, 3, 3, 0, 2, 1, 90]);
    expect(await ending(own)).toBe('handshake-timeout');
    peer.end();
    await new Promise((resolve) => peer.once('close', resolve));
    await clock.advance(HANDSHAKE_TIMEOUT_MILLISECONDS);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that is destroyed shows the other no alert and no end of data, and forgets its timer', async () => {
    const { own, peer, clock } = await alone();
    const refused = expect(own.handshake()).rejects.toMatchObject({ code: 'destroyed-locally' });
    own.destroy();
    await refused;
    const sent = await readAll(peer);
    expect(sent.includes(Buffer.from([21, 3, 3]))).toBe(false);
    peer.end();
    await new Promise((resolve) => peer.once('close', resolve));
    await settle();
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  it('that gets garbage sends its alert before it goes', async () => {
    const { own, peer } = await alone();
    peer.end('GET / HTTP/1.1\r\n\r\n');
    await expect(own.handshake()).rejects.toMatchObject({ code: 'not-tls' });
    const sent = await readAll(peer);
    expect([...sent.subarray(-7)]).toEqual([21, 3, 3, 0, 2, 2, 10]);
  });

  it('that gets FIN, or RST, fails for it', async () => {
    const one = await alone();
    one.peer.end();
    await expect(one.own.handshake()).rejects.toMatchObject({ code: 'closed-in-handshake' });
    const two = await alone();
    two.peer.resetAndDestroy();
    await expect(two.own.handshake()).rejects.toMatchObject({ code: 'transport-failed' });
  });

  it('tells who wrote too early that the write failed', async () => {
    const { own, peer } = await alone();
    const written = new Promise((resolve) => own.write('x', resolve));
    const ended = new Promise((resolve) => own.end(resolve));
    peer.end();
    expect(await ending(own)).toBe('closed-in-handshake');
    expect(((await written) as TlsError).code).toBe('closed-in-handshake');
    expect(await ended).toBeInstanceOf(Error);
  });

  it('that refuses is refused for that reason', async () => {
    const { own } = await alone();
    own.refuse(REASONS['handshake-timeout'], 'drain');
    await expect(own.handshake()).rejects.toMatchObject({ code: 'handshake-timeout', detail: 'drain' });
  });
});

/** Established streams whose data is taken and thrown away: a stream that nobody reads does not see its end either. */
async function reading(...input: Parameters<typeof connectStreams>): Promise<StreamPair> {
  const pair = await connectStreams(...input);
  pair.client.resume();
  pair.server.resume();
  return pair;
}

/** A transport outlives its stream until the peer has read what was sent last, or for a moment. */
async function transportClosed(transport: Duplex, pair: StreamPair): Promise<void> {
  const closed = new Promise((resolve) =>
    transport.closed ? resolve(undefined) : transport.once('close', resolve),
  );
  await settle();
  await pair.clock.advance(HANDSHAKE_TIMEOUT_MILLISECONDS);
  await closed;
}
