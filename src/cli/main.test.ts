import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

const MAIN = new URL('main.ts', import.meta.url).pathname;

/** Runs the command with a reader that has gone before it writes. */
function unread(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly errors: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, errors })));
}

test('a reader that had enough is no error', async () => {
  for (const args of [['--help'], ['--version'], ['init', '--print']]) {
    expect(await unread(...args), args.join(' ')).toEqual({ code: 0, errors: '' });
  }
});

test('a command that fails says so, whoever reads', async () => {
  expect(await unread('policy', 'validate', '/no/such/file')).toMatchObject({ code: 1 });
});
