import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('docs/reference says what the tables say', () => {
  const script = new URL('../scripts/reference.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});
