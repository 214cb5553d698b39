import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rotationPlan } from './schedule.ts';

const DAY = 24 * 3_600_000;
const current = { notBefore: 0, notAfter: 30 * DAY };
const next = { notBefore: 15 * DAY, notAfter: 45 * DAY };
const ROOT_END = 3650 * DAY;

describe('rotationPlan', () => {
  it('prepares at half of life and activates at two thirds', () => {
    expect(rotationPlan(current, undefined, ROOT_END, 15 * DAY - 1)).toEqual({
      action: 'wait',
      at: 15 * DAY,
    });
    expect(rotationPlan(current, undefined, ROOT_END, 15 * DAY)).toMatchObject({ action: 'prepare' });
    expect(rotationPlan(current, next, ROOT_END, 20 * DAY - 1)).toEqual({ action: 'wait', at: 20 * DAY });
    expect(rotationPlan(current, next, ROOT_END, 20 * DAY)).toMatchObject({ action: 'activate' });
  });

  it('prepares and activates at once when it was not asked for long', () => {
    expect(rotationPlan(current, undefined, ROOT_END, 90 * DAY)).toMatchObject({ action: 'prepare' });
    expect(rotationPlan(current, next, ROOT_END, 90 * DAY)).toMatchObject({ action: 'activate' });
  });

  it('does nothing about an intermediate that ends with the root', () => {
    const last = { notBefore: 0, notAfter: ROOT_END };
    expect(rotationPlan(last, undefined, ROOT_END, ROOT_END - 1)).toEqual({ action: 'wait', at: ROOT_END });
  });

  it('waits only for times ahead, but for the end of the root', () => {
    const times = fc.integer({ min: 0, max: 4000 * DAY });
    fc.assert(
      fc.property(times, times, times, fc.boolean(), (from, life, now, prepared) => {
        const intermediate = { notBefore: from, notAfter: from + life };
        const plan = rotationPlan(intermediate, prepared ? next : undefined, ROOT_END, now);
        if (plan.action === 'wait' && plan.at !== ROOT_END) expect(plan.at).toBeGreaterThan(now);
      }),
    );
  });
});
