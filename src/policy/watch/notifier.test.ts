import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '#runtime';
import { type Notifier, systemNotifier } from './notifier.ts';
import type { WatchedDirectory } from './snapshot.ts';

const PATIENCE = { timeout: 30_000, interval: 10 };

let home: string;
let changes = 0;
let notifier: Notifier;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sallyport-policy-'));
  changes = 0;
  notifier = systemNotifier(() => {
    changes += 1;
  }, silentLog);
});
afterEach(async () => {
  notifier.close();
  await rm(home, { recursive: true });
});

async function directory(path: string): Promise<WatchedDirectory> {
  const { dev, ino } = await stat(path);
  return { path, identity: `${dev}:${ino}` };
}

async function expectEvent(act: () => Promise<void>): Promise<void> {
  changes = 0;
  await act();
  await vi.waitFor(() => expect(changes).toBeGreaterThan(0), PATIENCE);
}

it('says when an entry of a directory changes', async () => {
  notifier.follow([await directory(home)]);
  await expectEvent(() => writeFile(join(home, 'a.yaml'), 'one'));
  await expectEvent(() => rename(join(home, 'a.yaml'), join(home, 'b.yaml')));
});

it('follows a directory that took the name of another', async () => {
  const path = join(home, 'policies');
  await mkdir(path);
  notifier.follow([await directory(path)]);
  await rename(path, join(home, 'away'));
  await mkdir(path);
  notifier.follow([await directory(path)]);
  await expectEvent(() => writeFile(join(path, 'a.yaml'), 'one'));
});

it('takes a directory that is not there for nothing to say', () => {
  expect(() => notifier.follow([{ path: join(home, 'missing'), identity: '' }])).not.toThrow();
});
