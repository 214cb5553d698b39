import { describe, expect, it } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { Secret } from '../crypto/index.ts';
import { type ClientSession, SessionCache } from './session-cache.ts';

const clock = new FakeClock();

function session(name: string, changes: Partial<ClientSession> = {}): ClientSession {
  return {
    version: 0x0304,
    ticket: Buffer.from(name),
    secret: new Secret(Uint8Array.of(1)),
    suite: 'TLS_AES_128_GCM_SHA256',
    ageAdd: 0,
    alpn: undefined,
    chain: [],
    authenticatedAt: clock.now(),
    expiresAt: clock.now() + 1000,
    receivedAt: clock.monotonic(),
    endsAt: clock.monotonic() + 1000,
    earlyDataLimit: 0,
    ...changes,
  };
}

const nameOf = (taken: ClientSession | undefined) => taken && Buffer.from(taken.ticket).toString();
const wiped = ({ secret }: ClientSession) => secret.expose()[0] === 0;

describe('a session cache', () => {
  it('gives the newest session of a key, once', () => {
    const cache = new SessionCache({ clock });
    cache.put('k', session('old'));
    cache.put('k', session('new'));
    cache.put('other', session('elsewhere'));
    expect(nameOf(cache.take('k'))).toBe('new');
    expect(nameOf(cache.take('k'))).toBe('old');
    expect(cache.take('k')).toBeUndefined();
    expect(cache.size).toBe(1);
  });

  it('gives none that has ended, by either clock, and wipes it', () => {
    const cache = new SessionCache({ clock });
    const byWall = session('a', { expiresAt: clock.now() });
    const byTime = session('b', { endsAt: clock.monotonic() });
    cache.put('k', byWall);
    cache.put('k', byTime);
    expect(cache.take('k')).toBeUndefined();
    expect([byWall, byTime].every(wiped)).toBe(true);
    expect(cache.size).toBe(0);
  });

  it('is bounded, for a key and altogether: the least used goes first and is wiped', () => {
    const cache = new SessionCache({ clock, capacity: 3, perKey: 2 });
    const sessions = ['a', 'b', 'c', 'd', 'e'].map((name) => session(name));
    const [a, b, c, d, e] = sessions as [
      ClientSession,
      ClientSession,
      ClientSession,
      ClientSession,
      ClientSession,
    ];
    for (const each of [a, b, c]) cache.put('one', each);
    expect(wiped(a)).toBe(true);
    cache.put('two', d);
    expect(cache.size).toBe(3);
    cache.put('two', e);
    expect(cache.size).toBe(3);
    expect(wiped(b)).toBe(true);
    expect(wiped(c) || wiped(d) || wiped(e)).toBe(false);
    cache.clear();
    expect(cache.size).toBe(0);
    expect(sessions.every(wiped)).toBe(true);
  });
});
