import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { policySet, tls } from '../testing/mesh.ts';
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
async function after(
  times: readonly number[],
  from: string,
  serverFirst: boolean,
  unselected: 'AllowAuthenticated' | 'Deny' = 'AllowAuthenticated',
): Promise<string[]> {
  const destinations = { value: { hasSidecar: (host: string) => host === MESHED } };
  const policies = { value: policySet(tls('Permissive'), 1, { unselected }) };
  const workload = { namespace: 'shop', serviceAccount: 'orders', labels: {} };
  const config = { clock, limits: DEFAULT_LIMITS, capture: { destinations }, policies, workload };
  const connection = { signal: new AbortController().signal, start: { from: { host: from } } };
  const accepted = {
    socket: pair.near,
    connection,
    target: { serverFirst },
    mode: 'Permissive',
    deadline: clock.monotonic() + DEFAULT_LIMITS.handshakeTimeoutMilliseconds,
  };
  let carriage = 'waiting';
  const detected = detect(accepted as unknown as Accepted, { config } as unknown as InboundParts).then(
    (found) => {
      if (found === 'gone') carriage = found;
      else carriage = 'carriage' in found ? found.carriage : 'silent';
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

test('one that stays silent may speak a server-first protocol after 100 ms', async () => {
  expect(await after([0, WAIT - 1, WAIT], UNMESHED, false)).toEqual(['waiting', 'waiting', 'silent']);
});

test('where plaintext is refused it has as long as a handshake has', async () => {
  const { handshakeTimeoutMilliseconds: whole } = DEFAULT_LIMITS;
  expect(await after([WAIT, whole - 1, whole], UNMESHED, false, 'Deny')).toEqual([
    'waiting',
    'waiting',
    'plaintext',
  ]);
});

test('on a declared port at once, if it is known to have no sidecar', async () => {
  expect(await after([0], UNMESHED, true)).toEqual(['silent']);
});

test('on a declared port one with a sidecar may still begin', async () => {
  expect(await after([0, WAIT - 1, WAIT], MESHED, true)).toEqual(['waiting', 'waiting', 'silent']);
});
