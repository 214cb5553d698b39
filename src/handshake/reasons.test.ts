import { describe, expect, it } from 'vitest';
import { type ReasonRow, reasonTable } from './reason.ts';
import { REASONS } from './reasons.ts';

const ROW = { blame: 'peer', rfc: '8446#6', say: 'A test says so.', next: 'Nothing.' } as const;

/** No table may end a connection by what a peer takes for a clean end: this must not compile. */
// @ts-expect-error close_notify refuses nothing
const CLEAN: ReasonRow = { ...ROW, alert: 'close_notify' };

describe('the reasons of the engine', () => {
  it('never end a connection by close_notify', () => {
    expect(CLEAN.alert).toBe('close_notify');
    expect(Object.values(REASONS).map(({ alert }) => alert as string | undefined)).not.toContain(
      'close_notify',
    );
  });

  it.each(Object.entries(REASONS))('%s is named like its key and says what and what next', (code, reason) => {
    expect(reason.code).toBe(code);
    expect(code).toMatch(/^[a-z]+[0-9]*(-[a-z]+[0-9]*)*$/);
    expect(reason.rfc).toMatch(/^([0-9]{4}|FIPS-203)#[0-9.]+$/);
    expect(reason.say).toMatch(/^[A-Z].*\.$/);
    expect(reason.next).toMatch(/^[A-Z].*[.?]$/);
  });

  it('carry their code wherever a table is made', () => {
    const table = reasonTable({ 'a-test': { ...ROW, alert: undefined } });
    expect(table['a-test'].code).toBe('a-test');
    expect(Object.isFrozen(table['a-test'])).toBe(true);
  });
});
