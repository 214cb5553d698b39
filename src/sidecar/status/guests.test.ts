import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Guests } from './guests.ts';

/** As far as a guest goes. */
function socket(): Socket {
  return new Duplex({ read: () => undefined }) as Socket;
}

test('at the cap the oldest goes, but not one that proved that it may stay', async () => {
  const guests = new Guests(3);
  const [kept, ...others] = [socket(), socket(), socket()] as const;
  for (const one of [kept, ...others]) guests.welcome(one);
  guests.keep(kept);
  guests.welcome(socket());
  expect(others.map(({ destroyed }) => destroyed)).toEqual([false, false]);
  for (let index = 0; index < 100; index += 1) guests.welcome(socket());
  expect([kept, ...others].map(({ destroyed }) => destroyed)).toEqual([false, true, true]);
});

test('one that left makes room', async () => {
  const guests = new Guests(2);
  const [first, second, third] = [socket(), socket(), socket()];
  guests.welcome(first);
  guests.welcome(second);
  second.destroy();
  await new Promise((resolve) => second.once('close', resolve));
  guests.welcome(third);
  expect(first.destroyed).toBe(false);
});
