import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { InboundParts } from '../parts.ts';
import { socketPair } from '../testing/sockets.ts';
import type { Accepted } from './accept.ts';
import { detect } from './detect.ts';

const WAIT = 100;
const MESHED = '10.1.0.6';
const UNMESHED = '10.1.0.7';

let clock: FakeClock;
let pair: Awaited<ReturnType<typeof socketPair>>;
beforeEach(async () => {
  clock = new FakeClock();
  pair = await socketPair();
});
afterEach(() => pair.close());

/** What has become of a silent caller of a Permissive port after each of these times. */
async function after(times: readonly number[], from: string, serverFirst: boolean): Promise<string[]> {
  const destinations = { value: { hasSidecar: (host: string) => host === MESHED } };
  const config = { clock, limits: DEFAULT_LIMITS, capture: { destinations } };
  const connection = { signal: new AbortController().signal, start: { from: { host: from } } };
  const accepted = {
    socket: pair.near,
    connection,
    target: { serverFirst },
    mode: 'Permissive',
    deadline: 10_000,
  };
  let carriage = 'waiting';
  const detected = detect(accepted as unknown as Accepted, { config } as unknown as InboundParts).then(
    (found) => {
      carriage = found === 'gone' ? found : found.carriage;
    },
  );
  const seen: string[] = [];
  let now = 0;
  for (const time of times) {
    await clock.advance(time - now);
    now = time;
    seen.push(carriage);
  }
  await detected;
  return seen;
}

test('one that stays silent is taken for a server-first protocol after 100 ms', async () => {
  expect(await after([0, WAIT - 1, WAIT], UNMESHED, false)).toEqual(['waiting', 'waiting', 'plaintext']);
});

test('on a declared port at once, if it is known to have no sidecar', async () => {
  expect(await after([0], UNMESHED, true)).toEqual(['plaintext']);
});

test('on a declared port one with a sidecar may still begin', async () => {
  expect(await after([0, WAIT - 1, WAIT], MESHED, true)).toEqual(['waiting', 'waiting', 'plaintext']);
});
