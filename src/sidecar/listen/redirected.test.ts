import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err, ok, silentLog, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { CaptureConfig } from '../config.ts';
import { Destinations } from '../discover/destinations.ts';
import { capturedInboundGate } from '../inbound/captured.ts';
import { INTERCEPT_REASONS } from '../intercept/reason.ts';
import { capturedOutboundGate } from '../outbound/captured.ts';
import { socketPair } from '../testing/sockets.ts';
import type { Endpoint } from './endpoint.ts';
import { OwnAddresses } from './own-addresses.ts';
import { Redirected } from './redirected.ts';
import { Refusals } from './refusals.ts';

const LISTEN: Endpoint = { host: '127.0.0.1', port: 0 };
const POD = '10.1.0.5';

let pair: Awaited<ReturnType<typeof socketPair>>;
let refused: string[];
let verified: Socket[];
let listensAt: CaptureConfig['listensAt'];
beforeEach(async () => {
  pair = await socketPair();
  refused = [];
  verified = [];
  listensAt = () => undefined;
});
afterEach(() => pair.close());

/** A pod with one address whose packet filter says that the connection was going to `host` and `port`. */
function redirected(host: string, port: number): Redirected {
  return redirectedBy(() => ok({ host, port }));
}

function redirectedBy(originalDestination: CaptureConfig['originalDestination']): Redirected {
  const capture: CaptureConfig = {
    inboundPort: 15_006,
    outboundPort: 15_001,
    statusPort: 15_020,
    verificationPort: 15_021,
    originalDestination,
    resetOnDeath: () => undefined,
    listensAt,
    destinations: new Watch(new Destinations([], [], 15_020)),
    serverFirstPorts: new Set([3_306]),
    probes: [],
    adviseAfterMilliseconds: undefined,
  };
  const clock = new FakeClock();
  const telemetry = {
    refused: (_service: string, direction: string, reason: { code: string }) =>
      refused.push(`${direction} ${reason.code}`),
  };
  const refusals = new Refusals({ service: 'web', telemetry: telemetry as never, log: silentLog, clock });
  const addresses = new OwnAddresses(clock, () => ['127.0.0.1', POD]);
  return new Redirected(capture, 15_000, addresses, refusals);
}

function inbound(to: Redirected) {
  return capturedInboundGate(LISTEN, to, (socket) => void verified.push(socket)).targetOf(pair.near);
}

function outbound(to: Redirected) {
  return capturedOutboundGate(LISTEN, 'web', to).calledOf(pair.near);
}

describe('a captured connection from the network', () => {
  test('is for the application at the address and port that was called', () => {
    expect(inbound(redirected(POD, 8_080))).toEqual({
      application: { host: POD, port: 8_080 },
      port: 8_080,
      serverFirst: false,
    });
    expect(inbound(redirected(POD, 3_306))?.serverFirst).toBe(true);
    expect(refused).toEqual([]);
  });

  test.each([
    ['our own port', POD, 15_006, 'own-port'],
    ['our own other port', POD, 15_001, 'own-port'],
    ['the admin port', POD, 15_000, 'own-port'],
    ['the status port, which init should have left alone', POD, 15_020, 'status-port-captured'],
    // We would dial it for whoever sent this.
    ["somebody else's address", '10.1.0.6', 8_080, 'foreign-destination'],
    ['loopback', '127.0.0.1', 8_080, 'foreign-destination'],
  ])('to %s is reset and counted', (_, host, port, reason) => {
    expect(inbound(redirected(host, port))).toBeUndefined();
    expect(refused).toEqual([`inbound ${reason}`]);
    expect(pair.near.destroyed).toBe(true);
  });

  test('that was not redirected is reset and counted', () => {
    const reason = INTERCEPT_REASONS['not-redirected'];
    expect(inbound(redirectedBy(() => err({ reason, detail: '' })))).toBeUndefined();
    expect(refused).toEqual(['inbound not-redirected']);
    expect(pair.near.destroyed).toBe(true);
  });

  test('to the verification port is answered by ourselves', () => {
    expect(inbound(redirected(POD, 15_021))).toBeUndefined();
    expect(verified).toEqual([pair.near]);
    expect(refused).toEqual([]);
  });
});

describe('a captured connection to a port on which nobody listens', () => {
  const ofInbound = { host: '127.0.0.1', port: 15_006 };
  const telling =
    (listening: readonly Endpoint[]): CaptureConfig['listensAt'] =>
    ({ host, port }) =>
      listening.some((one) => one.host === host && one.port === port);

  test('is reset before anything is read, and counted', () => {
    listensAt = telling([ofInbound]);
    expect(inbound(redirected(POD, 8_080))).toBeUndefined();
    expect(refused).toEqual(['inbound application-not-listening']);
    expect(pair.near.destroyed).toBe(true);
  });

  test('is served where somebody does', () => {
    listensAt = telling([ofInbound, { host: POD, port: 8_080 }]);
    expect(inbound(redirected(POD, 8_080))).toMatchObject({ port: 8_080 });
  });

  test('is served where the system does not tell of our own listener either', () => {
    listensAt = () => false;
    expect(inbound(redirected(POD, 8_080))).toMatchObject({ port: 8_080 });
    listensAt = () => undefined;
    expect(inbound(redirected(POD, 8_080))).toMatchObject({ port: 8_080 });
    expect(refused).toEqual([]);
  });
});

describe('a captured call of the application', () => {
  test('goes where destinations say', () => {
    expect(outbound(redirected('192.0.2.1', 443))).toMatchObject({ service: '192.0.2.1', port: 443 });
    const called = outbound(redirected('2001:db8::1', 443));
    expect(called).toMatchObject({ service: '[2001:db8::1]', port: 443 });
    expect(called?.route(false)).toEqual({ kind: 'egress', address: { host: '2001:db8::1', port: 443 } });
    expect(outbound(redirected(POD, 8_080))?.route(false)).toMatchObject({ kind: 'self' });
    // Metrics of its own pod: plaintext for everybody, so for itself too.
    expect(outbound(redirected(POD, 15_020))?.route(false)).toMatchObject({ kind: 'self' });
    // Another pod's sidecar ports are that sidecar's to refuse.
    expect(outbound(redirected('10.1.0.6', 15_006))?.route(false)).toMatchObject({ kind: 'egress' });
    expect(refused).toEqual([]);
  });

  test.each([
    ['our port, dialled directly', '127.0.0.1', 15_001],
    ['loopback, which is never redirected', '::1', 80],
    ['our ports by our own address, which would lead back here', POD, 15_001],
    ['the inbound port by our own address', POD, 15_006],
  ])('to %s is reset and counted', (_, host, port) => {
    expect(outbound(redirected(host, port))).toBeUndefined();
    expect(refused).toEqual(['outbound own-port']);
    expect(pair.near.destroyed).toBe(true);
  });
});
