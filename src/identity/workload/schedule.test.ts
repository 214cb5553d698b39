import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renewalTime } from './schedule.ts';

const HOUR = 3_600_000;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('renewalTime', () => {
  it('is a third of life at the latest, and a tenth of that earlier at the earliest', () => {
    const input = { obtainedAt: 0, notAfter: 6 * HOUR, renewEvery: undefined };
    expect(renewalTime({ ...input, random: 0 })).toBe(2 * HOUR);
    expect(renewalTime({ ...input, random: 0.5 })).toBe(1.9 * HOUR);
    fc.assert(
      fc.property(random, fc.integer({ min: 120_000, max: 24 * HOUR }), (share, life) => {
        const at = renewalTime({ obtainedAt: 7, notAfter: 7 + life, random: share, renewEvery: undefined });
        expect(at).toBeLessThanOrEqual(7 + life / 3);
        expect(at).toBeGreaterThan(7 + (life / 3) * 0.9 - 1);
      }),
    );
  });

  it('leaves at least 4 hours in which the authority may be down', () => {
    fc.assert(
      fc.property(random, (share) => {
        const notAfter = 6 * HOUR;
        const at = renewalTime({ obtainedAt: 0, notAfter, random: share, renewEvery: undefined });
        expect(notAfter - at).toBeGreaterThanOrEqual(4 * HOUR);
      }),
    );
  });

  it('is earlier when asked for, never later, and never in a tight loop', () => {
    const input = { obtainedAt: 0, notAfter: 6 * HOUR, random: 0 };
    expect(renewalTime({ ...input, renewEvery: 5000 })).toBe(5000);
    expect(renewalTime({ ...input, renewEvery: 5 * HOUR })).toBe(2 * HOUR);
    expect(renewalTime({ ...input, renewEvery: 0 })).toBe(1000);
  });

  it('is at once for a certificate that has ended', () => {
    expect(renewalTime({ obtainedAt: 10, notAfter: 5, random: 0.5, renewEvery: undefined })).toBe(10);
  });
});
