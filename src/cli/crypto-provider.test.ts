import { expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { jsonLog } from '#runtime';
import { FALLBACK_WARNING, NOBLE_WARNING, openProvider } from './crypto-provider.ts';
import { main } from './program.ts';

function recording(): { readonly lines: string[]; readonly log: ReturnType<typeof jsonLog> } {
  const lines: string[] = [];
  return { lines, log: jsonLog('info', (line) => void lines.push(line)) };
}

test.each(['openssl', 'node'] as const)('%s is what was asked for, and nobody is warned', async (name) => {
  const { lines, log } = recording();
  const { crypto, fallbacks } = await openProvider(name, log);
  expect(crypto.name).toBe(name);
  expect(fallbacks()).toBe(0);
  expect(lines).toEqual([]);
});

test('noble comes with a warning', async () => {
  const { lines, log } = recording();
  const { crypto } = await openProvider('noble', log);
  expect(crypto.name).toBe('noble');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', crypto: 'noble' });
  expect(lines[0]).toContain(NOBLE_WARNING);
});

test('where libcrypto cannot be used, node is, which is logged with the reason and counted', async () => {
  const { lines, log } = recording();
  const { crypto, fallbacks } = await openProvider('openssl', log, () =>
    Promise.reject(new Error('libcrypto differs from node:crypto in sha256')),
  );
  expect(crypto).toBe(nodeProvider);
  expect(fallbacks()).toBe(1);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'warn',
    message: FALLBACK_WARNING,
    why: 'libcrypto differs from node:crypto in sha256',
  });
});

test('a single algorithm that differs later is logged and counted', async () => {
  const { lines, log } = recording();
  const { crypto, fallbacks } = await openProvider('openssl', log, (report) => {
    report('rsa_pss_rsae_sha256');
    return Promise.resolve(nodeProvider);
  });
  expect(crypto).toBe(nodeProvider);
  expect(fallbacks()).toBe(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', difference: 'rsa_pss_rsae_sha256' });
});

test.each(['up', 'sidecar', 'controller'])('%s takes no other name', async (command) => {
  expect(await main([command, '--crypto', 'rot13'], {})).toBe(2);
});
