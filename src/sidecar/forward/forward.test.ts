import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TlsError } from '#handshake';
import { FakeClock } from '#runtime/testing';
import { SIDECAR_REASONS } from '../reason.ts';
import { readAll, readExactly, socketPair } from '../testing/sockets.ts';
import { socketEnd } from './end.ts';
import { forward } from './forward.ts';

type Pair = Awaited<ReturnType<typeof socketPair>>;

const IDLE = 60_000;

let application: Pair;
let peer: Pair;
let order: AbortController;
let counts: { received: number; sent: number };
let clock: FakeClock;
beforeEach(async () => {
  [application, peer] = await Promise.all([socketPair(), socketPair()]);
  order = new AbortController();
  counts = { received: 0, sent: 0 };
  clock = new FakeClock();
});
afterEach(() => {
  application.close();
  peer.close();
});

function start(unread?: Uint8Array): Promise<void> {
  const passage = {
    signal: order.signal,
    received(bytes: number) {
      counts.received += bytes;
    },
    sent(bytes: number) {
      counts.sent += bytes;
    },
  };
  return forward(socketEnd(application.near, 'application'), socketEnd(peer.near, 'peer'), passage, {
    clock,
    idleTimeoutMilliseconds: IDLE,
    ...(unread === undefined ? {} : { unread }),
  });
}

/** The code of the reason that ended it. */
function failure(done: Promise<void>): Promise<unknown> {
  return done.then(
    () => 'an ordinary end',
    (error: TlsError) => error.code,
  );
}

describe('forward', () => {
  test('passes both ways, counts, and resolves when both have ended', async () => {
    const done = start();
    peer.far.end('question');
    application.far.end('the answer');
    const [asked, told] = await Promise.all([readAll(application.far), readAll(peer.far)]);
    await done;
    expect([asked.bytes.toString(), told.bytes.toString()]).toEqual(['question', 'the answer']);
    expect(counts).toEqual({ received: 8, sent: 10 });
    expect(clock.pendingTimers).toBe(0);
  });

  test('passes what was read before first', async () => {
    peer.far.end(' world');
    const done = start(Buffer.from('hello'));
    expect((await readAll(application.far)).bytes.toString()).toBe('hello world');
    application.far.end();
    await done;
    expect(counts.received).toBe(11);
  });

  test('passes on an end that came before it began', async () => {
    peer.far.end();
    await readAll(peer.near.resume());
    const done = start(Buffer.from('all of it'));
    expect(await readAll(application.far)).toMatchObject({ bytes: Buffer.from('all of it'), ending: 'end' });
    application.far.end();
    await done;
  });

  test.each(['application', 'peer'] as const)('a reset of the %s resets the other side', async (who) => {
    const [broken, other] = who === 'application' ? [application, peer] : [peer, application];
    const code = failure(start());
    broken.far.resetAndDestroy();
    expect((await readAll(other.far)).ending).toBe('reset');
    expect(await code).toBe(`${who}-reset`);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a reset by one that had ended its direction is found when something is sent to it', async () => {
    const code = failure(start());
    peer.far.end('last words');
    expect((await readAll(application.far)).ending).toBe('end');
    peer.far.resetAndDestroy();
    const writing = setInterval(() => application.far.write('nobody hears this'), 5);
    expect(await code).toBe('peer-reset');
    clearInterval(writing);
  });

  test('one that is closed without an error, but not at its end, resets the other side', async () => {
    const code = failure(start());
    peer.far.write('half');
    await readExactly(application.far, 4);
    const ending = readAll(application.far);
    peer.near.destroy();
    expect((await ending).ending).toBe('reset');
    expect(await code).toBe('peer-reset');
  });

  test('one that broke before it began is found', async () => {
    application.near.destroy();
    expect(await failure(start())).toBe('application-reset');
    expect((await readAll(peer.far)).ending).toBe('reset');
  });

  test('an order to end resets both sides and is the reason', async () => {
    const code = failure(start());
    order.abort(new TlsError(SIDECAR_REASONS['drain-deadline']));
    const endings = await Promise.all([readAll(application.far), readAll(peer.far)]);
    expect(endings.map(({ ending }) => ending)).toEqual(['reset', 'reset']);
    expect(await code).toBe('drain-deadline');
    expect(await failure(start())).toBe('drain-deadline');
  });

  test('silence of both directions ends it, a byte in either puts that off', async () => {
    const code = failure(start());
    await clock.advance(IDLE - 1);
    peer.far.write('x');
    await readExactly(application.far, 1);
    await clock.advance(IDLE - 1);
    application.far.write('y');
    await readExactly(peer.far, 1);
    await clock.advance(IDLE - 1);
    expect(application.near.destroyed).toBe(false);
    await clock.advance(1);
    expect(await code).toBe('idle-timeout');
    expect((await readAll(peer.far)).ending).toBe('reset');
  });
});
