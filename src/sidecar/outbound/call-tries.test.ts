import { describe, expect, test } from 'vitest';
import { REASONS, TlsError } from '#handshake';
import { IDENTITY_REASONS } from '#identity';
import { FakeClock } from '#runtime/testing';
import { SIDECAR_REASONS } from '../reason.ts';
import { CallTries } from './call-tries.ts';
import { keyOf } from './endpoint-set.ts';
import { meshed, unmeshed } from './testing/endpoints.ts';

const LIMITS = { tries: 3, establishTimeoutMilliseconds: 10_000 };
const refused = new TlsError(SIDECAR_REASONS['connect-refused'], '10.0.0.1:8080');

function fail(tries: CallTries, number: number, error = refused, endpoint = meshed(number)): boolean {
  return tries.failed(keyOf(endpoint), endpoint, error);
}

describe('a call tries on', () => {
  test('up to its number of tries', () => {
    const tries = new CallTries(new FakeClock(), LIMITS);
    expect([fail(tries, 1), fail(tries, 2), fail(tries, 3)]).toEqual([true, true, false]);
  });

  test('not after its time', async () => {
    const clock = new FakeClock();
    const tries = new CallTries(clock, LIMITS);
    await clock.advance(10_000);
    expect(fail(tries, 1)).toBe(false);
  });

  test.each([
    SIDECAR_REASONS['connect-timeout'],
    SIDECAR_REASONS['connect-failed'],
    REASONS['handshake-timeout'],
    REASONS['transport-failed'],
    REASONS.truncated,
    REASONS['not-tls'],
    REASONS['alert-received'],
    IDENTITY_REASONS['certificate-expired'],
    IDENTITY_REASONS['unknown-authority'],
  ])('after $code', (reason) => {
    expect(fail(new CallTries(new FakeClock(), LIMITS), 1, new TlsError(reason))).toBe(true);
  });

  test.each([
    SIDECAR_REASONS['no-credential'],
    SIDECAR_REASONS['credential-expired'],
    SIDECAR_REASONS['too-many-handshakes'],
    SIDECAR_REASONS['descriptors-exhausted'],
    SIDECAR_REASONS['destination-unknown'],
    SIDECAR_REASONS.shutdown,
    IDENTITY_REASONS['trust-anchor-expired'],
  ])('not after $code, which no endpoint mends', (reason) => {
    expect(fail(new CallTries(new FakeClock(), LIMITS), 1, new TlsError(reason))).toBe(false);
  });
});

test('only an identity that was not expected asks the source anew', () => {
  const tries = new CallTries(new FakeClock(), LIMITS);
  fail(tries, 1, new TlsError(IDENTITY_REASONS['spiffe-id-mismatch']));
  expect(tries.mistaken).toBe(true);
  fail(tries, 2);
  expect(tries.mistaken).toBe(false);
});

test('once a try with a sidecar failed, plaintext is over; one without changes nothing', () => {
  const tries = new CallTries(new FakeClock(), LIMITS);
  fail(tries, 1, refused, unmeshed(1));
  expect(tries.meshedOnly).toBe(false);
  fail(tries, 2);
  fail(tries, 3, refused, unmeshed(3));
  expect(tries.meshedOnly).toBe(true);
});

test('the same endpoint is tried once more, and only where not even a connection was had', () => {
  const tries = new CallTries(new FakeClock(), LIMITS);
  expect(tries.repeat()).toBe(false);
  fail(tries, 1);
  expect(tries.repeat()).toBe(true);
  expect(tries.tried.size).toBe(0);
  fail(tries, 1);
  expect(tries.repeat()).toBe(false);

  const answered = new CallTries(new FakeClock(), LIMITS);
  fail(answered, 1, new TlsError(REASONS['handshake-timeout']));
  expect(answered.repeat()).toBe(false);
});

test('the error says what was tried elsewhere before', () => {
  const tries = new CallTries(new FakeClock(), LIMITS);
  fail(tries, 1);
  fail(tries, 2, new TlsError(REASONS['handshake-timeout']));
  const last = new TlsError(SIDECAR_REASONS['connect-timeout'], '10.0.0.3:8080');
  fail(tries, 3, last);
  const { reason, detail } = tries.sum(last);
  expect(reason).toBe(last.reason);
  expect(detail).toBe(
    '10.0.0.3:8080; before that 10.0.0.1:8080 connect-refused, 10.0.0.2:8080 handshake-timeout',
  );
});
