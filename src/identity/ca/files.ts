import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthorityError } from './config.ts';

const OTHERS = 0o077;

/** Makes the folder (0700) if it isn't there, and refuses one that others can look into. */
export async function prepareFolder(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const stat = await lstat(directory);
  if (!stat.isDirectory()) throw new AuthorityError(`${directory} is not a folder`);
  refuseForeign(directory, stat.uid);
  if ((stat.mode & OTHERS) !== 0) {
    throw new AuthorityError(
      `${directory} holds the authority's keys but has mode ${modeText(stat.mode)}: run \`chmod 700 ${directory}\``,
    );
  }
}

/** Reads a file that only its owner may read. Symbolic links are not followed. undefined: it isn't there. */
export async function readPrivate(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    throw new AuthorityError(`${path} cannot be read (${code}); it must be a plain file of this user`);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new AuthorityError(`${path} is not a plain file`);
    refuseForeign(path, stat.uid);
    if ((stat.mode & OTHERS) !== 0) {
      throw new AuthorityError(
        `${path} has mode ${modeText(stat.mode)}, so others may have read it: run \`chmod 600 ${path}\`, ` +
          'and make a new authority if that machine has other users',
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Replaces a file (0600) so that after a crash at any point either the old or the new contents are there, whole:
 * temporary file, its contents to disk, rename, the folder to disk.
 */
export async function writeAtomically(directory: string, name: string, contents: string): Promise<void> {
  const temporary = join(directory, `${name}${TEMPORARY}`);
  const file = await open(temporary, 'w', 0o600);
  try {
    // The mode of `open` is for new files; one left by a crash keeps its own.
    await file.chmod(0o600);
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, name));
  await syncFolder(directory);
}

export async function removeFiles(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await unlink(join(directory, name));
  if (names.length > 0) await syncFolder(directory);
}

/** Names of plain files in the folder. */
export async function listFiles(directory: string): Promise<readonly string[]> {
  return (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

/** What `writeAtomically` leaves behind when it is interrupted. */
export const TEMPORARY = '.tmp';

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function refuseForeign(path: string, owner: number): void {
  const self = process.getuid?.();
  if (self !== undefined && owner !== self) {
    throw new AuthorityError(`${path} belongs to user ${owner}, but the authority runs as user ${self}`);
  }
}

function modeText(mode: number): string {
  return `0${(mode & 0o777).toString(8)}`;
}
