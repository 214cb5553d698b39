import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { silentLog } from '#runtime';
import { cleanMappings, openProgramPages } from './program-pages.ts';

function mapping(line: string, anonymous: number): string {
  return `${line}\nSize:   8 kB\nAnonymous:      ${anonymous} kB\nVmFlags: rd mr\n`;
}

test('only what nobody writes to and nobody wrote to is a clean mapping of the program', () => {
  const program = '/usr/local/bin/node';
  const smaps = [
    mapping(`00400000-0082e000 r--p 00000000 fe:00 5384145                    ${program}`, 0),
    mapping(`0082e000-03489000 r-xp 0042e000 fe:00 5384145                    ${program}`, 0),
    mapping(`072a7000-072b0000 r--p 06ea6000 fe:00 5384145                    ${program}`, 36),
    mapping(`072b0000-072c0000 rw-p 06eaf000 fe:00 5384145                    ${program}`, 0),
    mapping(`072c0000-072d0000 r--s 06ebf000 fe:00 5384145                    ${program}`, 0),
    mapping('7f0000000000-7f0000010000 r-xp 00000000 fe:00 77                 /usr/lib/libc.so.6', 0),
    mapping('7f0000020000-7f0000030000 rw-p 00000000 00:00 0 ', 64),
  ].join('');
  expect(cleanMappings(smaps, program)).toEqual([
    { start: 0x400000n, end: 0x82e000n },
    { start: 0x82e000n, end: 0x3489000n },
  ]);
});

test.runIf(process.platform === 'linux')('lets go of pages that come back when they are needed', async () => {
  const letGo = await openProgramPages(silentLog);
  const resident = (): number =>
    Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = resident();
  letGo();
  expect(resident()).toBeLessThan(before - 10_000);
  // Whatever is needed now was on those pages.
  expect(
    JSON.parse(JSON.stringify({ a: [1, 'two', new Intl.DateTimeFormat('de').format(0)] })),
  ).toBeDefined();
});
