import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AuthorityError } from './config.ts';

export const LOCK_FILE = 'lock';
export const HOLDER_FILE = 'lock-holder.json';

export interface FolderLock {
  release(): void;
}

/**
 * Makes this the only authority on the folder. Node has no flock; its SQLite takes a file lock of the kernel
 * (fcntl), which ends with the process however it ends: no stale pid file, no guess whether a pid is alive, and it
 * holds between containers that share the folder. The lock file must not be opened by anything else in this process:
 * closing any descriptor of a file drops the process's fcntl locks on it. `now` is for the message to a second one.
 */
export async function lockFolder(directory: string, now: number): Promise<FolderLock> {
  const path = join(directory, LOCK_FILE);
  createPrivately(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Error) || !/locked|busy/i.test(error.message)) throw error;
    throw new AuthorityError(
      `${directory} is in use by another authority${await holderText(directory)}; stop it first`,
    );
  }
  const holder = JSON.stringify({ pid: process.pid, since: new Date(now).toISOString() });
  await writeFile(join(directory, HOLDER_FILE), `${holder}\n`, { mode: 0o600 });
  return { release: () => database.close() };
}

/** `wx` opens nothing when the file is there, so a lock that this process holds already stays. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function holderText(directory: string): Promise<string> {
  const text = await readFile(join(directory, HOLDER_FILE), 'utf8').catch(() => '');
  const match = /"pid":(\d+),"since":"([^"]+)"/.exec(text);
  return match === null ? '' : `: process ${match[1]}, since ${match[2]}`;
}
