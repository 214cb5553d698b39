import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Scope } from '#runtime';
import { startOrphanGuard } from './orphan-guard.ts';

/** A program that starts a child of its own group, puts it under guard, and waits to be killed. */
const GUARDED = `
import { spawn } from 'node:child_process';
import { Scope } from '#runtime';
import { startOrphanGuard } from './src/cli/services/orphan-guard.ts';
const guard = startOrphanGuard(new Scope('test', console.error));
const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
guard.add(child.pid);
setTimeout(() => console.log(child.pid), 100);
setInterval(() => undefined, 1000);
`;

test('services do not outlive a program that was killed', async () => {
  const program = spawn(process.execPath, ['--input-type=module-typescript', '-e', GUARDED], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(program.stdout, 'data')) as [Buffer];
  const service = Number(line.toString());
  expect(process.kill(service, 0)).toBe(true);
  program.kill('SIGKILL');
  await expect.poll(() => alive(service), { timeout: 30_000 }).toBe(false);
});

test('what was ended in order is left alone, and the guard goes with its scope', async () => {
  const scope = new Scope('test', (error) => {
    throw error;
  });
  const guard = startOrphanGuard(scope);
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  guard.add(child.pid ?? 0);
  guard.add(999_999_999);
  guard.remove(child.pid ?? 0);
  guard.remove(999_999_999);
  await scope.close();
  expect(alive(child.pid)).toBe(true);
  child.kill();
});

function alive(pid: number | undefined): boolean {
  try {
    return process.kill(pid ?? Number.NaN, 0);
  } catch {
    return false;
  }
}
