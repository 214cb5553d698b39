import { systemClock } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { readAll, socketPair } from '../testing/sockets.ts';
import { FirstBytes } from './first-bytes.ts';

const never = new AbortController().signal;
const SECOND = 1_000;

describe('FirstBytes', () => {
  let pair: Awaited<ReturnType<typeof socketPair>> | undefined;
  afterEach(() => pair?.close());

  test('stops at enough, keeps what it read, and leaves the rest in the socket', async () => {
    pair = await socketPair();
    const first = new FirstBytes(pair.near, systemClock);
    pair.far.write('hello');
    expect(await first.until((bytes) => bytes.length >= 1, SECOND, never)).toBe('enough');
    expect(Buffer.from(first.bytes).toString()).toBe('hello');
    pair.far.end(' world');
    expect(await first.until((bytes) => bytes.length >= 5, SECOND, never)).toBe('enough');
    expect(pair.near.isPaused()).toBe(true);
    expect((await readAll(pair.near.resume())).bytes.toString()).toBe(' world');
  });

  test('gathers chunks until they are enough', async () => {
    pair = await socketPair();
    const first = new FirstBytes(pair.near, systemClock);
    const arrival = first.until((bytes) => bytes.length >= 3, SECOND, never);
    for (const part of ['a', 'b', 'c']) {
      pair.far.write(part);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await arrival).toBe('enough');
    expect(Buffer.from(first.bytes).toString()).toBe('abc');
  });

  test('says that the peer ended', async () => {
    pair = await socketPair();
    pair.far.end();
    const first = new FirstBytes(pair.near, systemClock);
    expect(await first.until(() => false, SECOND, never)).toBe('ended');
    expect(await first.until(() => false, SECOND, never)).toBe('ended');
    expect(pair.near.destroyed).toBe(false);
  });

  test('says that the time is over, and loses nothing that comes later', async () => {
    pair = await socketPair();
    const clock = new FakeClock();
    const first = new FirstBytes(pair.near, clock);
    const arrival = first.until((bytes) => bytes.length > 0, 100, never);
    await clock.advance(100);
    expect(await arrival).toBe('timeout');
    expect(clock.pendingTimers).toBe(0);
    pair.far.end('late');
    expect((await readAll(pair.near.resume())).bytes.toString()).toBe('late');
  });

  test('throws a reason when the peer resets', async () => {
    pair = await socketPair();
    const first = new FirstBytes(pair.near, systemClock);
    pair.far.resetAndDestroy();
    await expect(first.until(() => false, SECOND, never)).rejects.toMatchObject({ code: 'peer-reset' });
    await expect(first.until(() => false, SECOND, never)).rejects.toMatchObject({ code: 'peer-reset' });
  });

  test('throws the reason of the order to end', async () => {
    pair = await socketPair();
    const order = new AbortController();
    const arrival = new FirstBytes(pair.near, systemClock).until(() => false, SECOND, order.signal);
    order.abort(new Error('drained'));
    await expect(arrival).rejects.toThrow('drained');
  });
});
