import { expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { jsonLog } from '#runtime';
import { NOBLE_WARNING, openProvider } from './crypto-provider.ts';
import { main } from './program.ts';

function recording(): { readonly lines: string[]; readonly log: ReturnType<typeof jsonLog> } {
  const lines: string[] = [];
  return { lines, log: jsonLog('info', (line) => void lines.push(line)) };
}

test('node is what runs, and nobody is warned', async () => {
  const { lines, log } = recording();
  expect(await openProvider('node', log)).toBe(nodeProvider);
  expect(lines).toEqual([]);
});

test('noble comes with a warning', async () => {
  const { lines, log } = recording();
  const provider = await openProvider('noble', log);
  expect(provider.name).toBe('noble');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', crypto: 'noble' });
  expect(lines[0]).toContain(NOBLE_WARNING);
});

test.each(['up', 'sidecar'])('%s takes no other name', async (command) => {
  expect(await main([command, '--crypto', 'openssl'], {})).toBe(2);
});
