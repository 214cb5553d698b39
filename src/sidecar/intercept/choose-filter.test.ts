import { expect, test } from 'vitest';
import { packetFilters } from './capture.ts';
import { chooseFilter } from './choose-filter.ts';
import { settingsOf } from './testing/settings.ts';
import type { RunTool, ToolResult } from './tool.ts';

const WORKS: ToolResult = { kind: 'ended', code: 0, stdout: '', stderr: '' };
const MISSING: ToolResult = { kind: 'missing' };
const refuses = (stderr: string): ToolResult => ({ kind: 'ended', code: 1, stdout: '', stderr });

/** A system whose programs answer as the table says; the first part of a program's name is enough. */
function system(answers: Readonly<Record<string, ToolResult>>): { run: RunTool; calls: string[] } {
  const calls: string[] = [];
  const run: RunTool = (program, args) => {
    calls.push([program, ...args].join(' '));
    const found = Object.keys(answers)
      .filter((name) => program.startsWith(name))
      .toSorted((a, b) => b.length - a.length)[0];
    return Promise.resolve(found === undefined ? MISSING : (answers[found] ?? MISSING));
  };
  return { run, calls };
}

test('nft is taken where it works, and only asked', async () => {
  const { run, calls } = system({ nft: WORKS, iptables: WORKS });
  const chosen = await chooseFilter(packetFilters(true, run), settingsOf());
  expect(chosen).toMatchObject({ ok: true, value: { name: 'nft' } });
  expect(calls).toEqual(['nft -c -f -']);
});

test('iptables where nft is missing or its kernel part is, both families tested', async () => {
  for (const nft of [MISSING, refuses('Operation not supported')]) {
    const { run, calls } = system({ nft, iptables: WORKS, ip6tables: WORKS });
    const chosen = await chooseFilter(packetFilters(true, run), settingsOf());
    expect(chosen).toMatchObject({ ok: true, value: { name: 'iptables' } });
    expect(calls.filter((call) => call.includes('--test'))).toEqual([
      'iptables-restore --noflush --wait 5 --test',
      'ip6tables-restore --noflush --wait 5 --test',
    ]);
  }
});

test('iptables that takes IPv4 only is not taken where there is IPv6', async () => {
  const { run } = system({
    iptables: WORKS,
    ip6tables: refuses('no ip6_tables'),
    'iptables-legacy': MISSING,
  });
  const chosen = await chooseFilter(packetFilters(true, run), settingsOf());
  expect(chosen).toMatchObject({ ok: false, error: { reason: { code: 'packet-filter-refused' } } });
  const without = await chooseFilter(packetFilters(false, run), settingsOf());
  expect(without).toMatchObject({ ok: true, value: { name: 'iptables' } });
});

test('where none works, the refusal says what each of them said', async () => {
  const { run } = system({ nft: refuses('Operation not permitted') });
  const chosen = await chooseFilter(packetFilters(true, run), settingsOf());
  expect(chosen).toMatchObject({
    ok: false,
    error: {
      reason: { code: 'packet-filter-refused' },
      detail:
        'nft ended with 1: Operation not permitted; iptables-save is not installed; iptables-legacy-save is not installed',
    },
  });
  const nothing = await chooseFilter(packetFilters(true, system({}).run), settingsOf());
  expect(nothing).toMatchObject({ ok: false, error: { reason: { code: 'packet-filter-missing' } } });
});
