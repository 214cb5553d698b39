import { describe, expect, it } from 'vitest';
import { FakeClock } from '#runtime/testing';
import { testProvider } from '../testing/provider.ts';
import { TicketKeyRing } from './key-ring.ts';

const HOUR = 3_600_000;
const STATE = Buffer.from('what a server remembers');

function makeRing(hours = 6) {
  const clock = new FakeClock();
  const rotateEveryMilliseconds = hours * HOUR;
  return { clock, ring: new TicketKeyRing({ crypto: testProvider, clock, rotateEveryMilliseconds }) };
}

describe('ticket keys', () => {
  it('seal what only they open, and what nobody may change', () => {
    const { ring } = makeRing();
    const { ticket } = ring.seal(STATE);
    const sent = ticket.slice();
    expect(Buffer.from(ring.open(ticket)!)).toEqual(STATE);
    // The ClientHello that it came in is hashed after this.
    expect(ticket).toEqual(sent);
    expect(makeRing().ring.open(ticket)).toBeUndefined();
    for (let at = 0; at < ticket.length; at += 1) {
      const changed = ticket.slice();
      changed[at]! ^= 1;
      expect(ring.open(changed)).toBeUndefined();
      expect(ring.open(ticket.subarray(0, at))).toBeUndefined();
    }
    expect(ring.seal(STATE).ticket).not.toEqual(ticket);
  });

  it('CVE-2020-13777: are random from the first ticket on, never zeros', () => {
    const { ring } = makeRing();
    const { ticket } = ring.seal(STATE);
    const zeros = testProvider.aead('aes-256-gcm', new Uint8Array(32));
    const opened = zeros.open(ticket.subarray(16, 28), ticket.subarray(0, 16), ticket.subarray(28));
    expect(opened).toBeUndefined();
    // What an attacker without the key seals is not opened either, under any name.
    const forged = new Uint8Array(STATE.length + 16);
    zeros.seal(new Uint8Array(12), ticket.subarray(0, 16), STATE, forged, 0);
    expect(ring.open(Buffer.concat([ticket.subarray(0, 16), new Uint8Array(12), forged]))).toBeUndefined();
    const broken = { ...testProvider, randomBytes: (length: number) => new Uint8Array(length) };
    const make = () => new TicketKeyRing({ crypto: broken, clock: new FakeClock() });
    expect(make).toThrow('the random source gave no key');
  });

  it('rotate: seal for a period, open for two', async () => {
    const { clock, ring } = makeRing(6);
    const first = ring.seal(STATE);
    expect(first.openableMilliseconds).toBe(12 * HOUR);
    await clock.advance(6 * HOUR - 1);
    const last = ring.seal(STATE);
    expect(last.ticket.subarray(0, 16)).toEqual(first.ticket.subarray(0, 16));
    expect(last.openableMilliseconds).toBe(6 * HOUR + 1);
    await clock.advance(1);
    const next = ring.seal(STATE);
    expect(next.ticket.subarray(0, 16)).not.toEqual(first.ticket.subarray(0, 16));
    expect(ring.open(last.ticket)).toBeDefined();
    await clock.advance(6 * HOUR - 1);
    expect(ring.open(first.ticket)).toBeDefined();
    await clock.advance(1);
    expect(ring.open(first.ticket)).toBeUndefined();
    expect(ring.open(next.ticket)).toBeDefined();
  });

  it('are all gone after a long silence, and when wiped', async () => {
    const { clock, ring } = makeRing();
    const { ticket } = ring.seal(STATE);
    await clock.advance(48 * HOUR);
    expect(ring.open(ticket)).toBeUndefined();
    const again = ring.seal(STATE).ticket;
    expect(ring.open(again)).toBeDefined();
    ring.wipe();
    expect(ring.open(again)).toBeUndefined();
    expect(() => ring.seal(STATE)).toThrow('wiped');
  });

  it.each([0, 5.9, 24.1, Number.NaN])('rotate every %d hours: refused', (hours) => {
    expect(() => makeRing(hours)).toThrow('6 to 24 hours');
  });
});
