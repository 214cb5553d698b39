import { expect, test } from 'vitest';
import { type Fields, jsonLog } from '#runtime';
import type { HandshakeRecord } from './handshake-record.ts';
import { clientHello, failed, world } from './testing/handshakes.ts';

test('the newest stay, oldest first', async () => {
  const run = world({ recentRecords: 3 });
  for (let index = 0; index < 10; index += 1) await run.client().play(failed('transport-reset'));
  expect(run.telemetry.recent().map(({ sequence }) => sequence)).toEqual([8, 9, 10]);
});

test('their JSON stays below the bound of bytes', async () => {
  const recentBytes = 20_000;
  const run = world({ recentBytes });
  for (let index = 0; index < 100; index += 1) {
    await run.client().play(clientHello(`${index}`), failed('transport-reset', 'é'.repeat(500)));
  }
  const kept = run.telemetry.recent();
  const bytes = kept
    .map((record) => Buffer.byteLength(JSON.stringify(record)))
    .reduce((sum, one) => sum + one, 0);
  expect(bytes).toBeLessThanOrEqual(recentBytes);
  expect(bytes).toBeGreaterThan(recentBytes / 2);
  expect(kept.at(-1)?.sequence).toBe(100);
});

test('readers hear of each record until they end; one that fails disturbs neither the others nor the handshake', async () => {
  const lines: Fields[] = [];
  const run = world({ log: jsonLog('info', (line) => lines.push(JSON.parse(line) as Fields)) });
  const heard: HandshakeRecord[] = [];
  run.telemetry.subscribe(() => {
    throw new Error('reader broke');
  });
  const end = run.telemetry.subscribe((record) => heard.push(record));
  await run.client().play(failed('transport-reset'));
  end();
  await run.client().play(failed('transport-reset'));
  expect(heard).toEqual([run.telemetry.recent()[0]]);
  expect(lines).toMatchObject([{ level: 'error' }, { level: 'error' }]);
});
