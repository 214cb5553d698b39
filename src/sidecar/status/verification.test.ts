import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Scope } from '#runtime';
import { Telemetry } from '#telemetry';
import { FakeClock } from '#runtime/testing';
import type { CaptureConfig, CheckedConfig } from '../config.ts';
import { type Line, keptLog } from '../testing/kept-log.ts';
import { verification } from './verification.ts';

const ADVISE_AFTER = 15_000;

let clock: FakeClock;
let scope: Scope;
let lines: Line[];
let telemetry: Telemetry;
let answered: Socket[];
beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  answered = [];
  scope = new Scope('test', (error) => {
    throw error;
  });
});
afterEach(() => scope.close());

function verifier(adviseAfterMilliseconds: number | undefined): (socket: Socket) => void {
  const log = keptLog(lines);
  telemetry = Telemetry.create({ clock, log, environment: {} });
  scope.defer(() => telemetry.shutdown());
  const config = { clock, log, service: 'web', telemetry } as unknown as CheckedConfig;
  const capture = { adviseAfterMilliseconds, verificationPort: 15_021, inboundPort: 15_006 };
  const status = {
    bound: { host: '::', port: 15_020 },
    verify: (socket: Socket) => void answered.push(socket),
  };
  return verification(scope, config, capture as CaptureConfig, status);
}

function messages(): string[] {
  return lines.map(({ level, message }) => `${level} ${message}`);
}

test('advises once where nobody has verified capture by then, and not before', async () => {
  verifier(ADVISE_AFTER);
  await clock.advance(ADVISE_AFTER - 1);
  expect(messages()).toEqual([]);
  await clock.advance(1);
  expect(messages()).toEqual(['warn nobody has verified inbound capture']);
  expect(lines[0]?.next).toContain('sallyport init');
  await clock.advance(10 * ADVISE_AFTER);
  expect(lines).toHaveLength(1);
});

test('does not where somebody has; every request is answered and the first one said', async () => {
  const verify = verifier(ADVISE_AFTER);
  const sockets = [new PassThrough(), new PassThrough()] as unknown as Socket[];
  for (const socket of sockets) verify(socket);
  await clock.advance(10 * ADVISE_AFTER);
  expect(answered).toEqual(sockets);
  expect(messages()).toEqual(['info inbound capture verified']);
});

test('does not where nobody is expected to, nor after the sidecar has ended', async () => {
  verifier(undefined);
  verifier(ADVISE_AFTER);
  await scope.close();
  await clock.advance(10 * ADVISE_AFTER);
  expect(messages()).toEqual([]);
});

test('/metrics says whether it is verified', async () => {
  const verify = verifier(undefined);
  const shown = async () =>
    (await telemetry.metricsText('web')).match(/^sallyport_capture_verified.* ([01])$/m)?.[1];
  expect(await shown()).toBe('0');
  verify(new PassThrough() as unknown as Socket);
  expect(await shown()).toBe('1');
});
