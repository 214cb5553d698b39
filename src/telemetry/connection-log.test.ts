import { expect, test } from 'vitest';
import { type Fields, jsonLog } from '#runtime';
import type { ConnectionRecorder } from './connection-recorder.ts';
import { REASONS, type World, world } from './testing/handshakes.ts';

function logged(): { run: World; open: () => ConnectionRecorder; lines: Fields[] } {
  const lines: Fields[] = [];
  const log = jsonLog('info', (line) => lines.push(JSON.parse(line) as Fields));
  const run = world({ log });
  const subject = {
    service: 'orders',
    direction: 'inbound',
    local: 'spiffe://shop/orders',
    peerAddress: '127.0.0.1:4',
  } as const;
  return { run, lines, open: () => run.telemetry.openConnection(subject) };
}

test('a connection is one line: both identities and serials, policy, bytes, duration, trace', async () => {
  const { run, lines, open } = logged();
  const connection = open();
  connection.learned({ mode: 'mtls', localSerial: '0a', peer: 'spiffe://shop/web', peerSerial: '0b' });
  connection.learned({ policy: 'default/web-to-orders', traceId: 'f'.repeat(32) });
  connection.received(100);
  connection.received(20);
  connection.sent(3_000);
  await run.clock.advance(250);
  connection.closed();
  expect(lines).toHaveLength(1);
  const { time, ...line } = lines[0]!;
  expect(Date.parse(time as string)).toBeGreaterThan(0);
  expect(line).toEqual({
    level: 'info',
    message: 'connection',
    service: 'orders',
    direction: 'inbound',
    mode: 'mtls',
    local: 'spiffe://shop/orders',
    localSerial: '0a',
    peer: 'spiffe://shop/web',
    peerSerial: '0b',
    peerAddress: '127.0.0.1:4',
    policy: 'default/web-to-orders',
    receivedBytes: 120,
    sentBytes: 3_000,
    durationMs: 250,
    traceId: 'f'.repeat(32),
  });
});

test('an end with a reason is a warning that says what happened and what to try', () => {
  const { lines, open } = logged();
  const connection = open();
  connection.closed(REASONS['denied-by-policy'], 'web may not call orders');
  connection.closed();
  expect(lines).toMatchObject([
    {
      level: 'warn',
      reason: 'denied-by-policy',
      blame: 'operator',
      say: REASONS['denied-by-policy'].say,
      next: REASONS['denied-by-policy'].next,
      detail: 'web may not call orders',
      mode: 'none',
      receivedBytes: 0,
    },
  ]);
});
