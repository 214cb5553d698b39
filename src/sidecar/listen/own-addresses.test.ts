import { expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { OwnAddresses } from './own-addresses.ts';

test('loopback is not ours, and new addresses are noticed without asking the system for each stranger', async () => {
  const clock = new FakeClock();
  const here = ['127.0.0.1', '::1', '10.1.0.5'];
  let reads = 0;
  const own = new OwnAddresses(clock, () => {
    reads += 1;
    return here;
  });
  expect(own.has('10.1.0.5')).toBe(true);
  expect(own.has('127.0.0.1')).toBe(false);
  expect(own.has('::1')).toBe(false);
  here.push('fd00::5');
  for (let call = 0; call < 100; call += 1) expect(own.has('fd00::5')).toBe(false);
  expect(reads).toBe(1);
  await clock.advance(1_000);
  expect(own.has('fd00::5')).toBe(true);
  expect(reads).toBe(2);
});

test('an address that moved to another host is not ours any more', async () => {
  const clock = new FakeClock();
  let here = ['10.1.0.5', '10.1.0.100'];
  const own = new OwnAddresses(clock, () => here);
  expect(own.has('10.1.0.100')).toBe(true);
  here = ['10.1.0.5'];
  await clock.advance(1_000);
  expect(own.has('10.1.0.100')).toBe(false);
  expect(own.has('10.1.0.5')).toBe(true);
});
