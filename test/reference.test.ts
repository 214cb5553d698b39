import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('docs/reference says what the tables say', () => upToDate('reference.ts'));

test('src/rpc/generated says what the .proto files say', () => upToDate('protocol.ts'));

function upToDate(name: string): void {
  const script = new URL(`../scripts/${name}`, import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
}
