import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { whyUnreadable } from '#runtime';
import { UsageError } from '../usage-error.ts';

/**
 * Reads a small file that nobody but this user could have written: plain, ours, 0600. Undefined when there is none.
 * Throws a UsageError that says what is wrong: what somebody else left there must not pass for our own.
 */
export function readPrivate(path: string): string | undefined {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a pipe that somebody put there would hold us for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP')
      throw new UsageError(`${path} is a link, not a file that Sallyport wrote. ${REMOVE}`);
    throw new UsageError(`${path} cannot be read: ${whyUnreadable(error)}`);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new UsageError(`${path} is no plain file. ${REMOVE}`);
    refuseOthers(path, stat);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Written whole or not at all, mode 0600. A link that stands at either name is replaced, not followed. */
export function writePrivate(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

/** Throws a UsageError unless `path` itself (not what a link leads to) is a folder of this user that others keep out of. */
export function requirePrivateFolder(path: string): void {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) throw new UsageError(`${path} is no folder. ${REMOVE}`);
  refuseOthers(path, stat);
}

/** Throws a UsageError unless the socket at `path` is this user's own; false when there is none. */
export function isOwnSocket(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isSocket()) throw new UsageError(`${path} is no socket. ${REMOVE}`);
  refuseOthers(path, stat);
  return true;
}

const REMOVE = 'Remove it, and start the mesh again.';
const OTHERS = 0o077;

function refuseOthers(path: string, { uid, mode }: Stats): void {
  const self = process.getuid?.();
  if (uid !== self) {
    throw new UsageError(
      `${path} belongs to user ${uid}, and you are user ${self}: what it says is not believed. Run this as that user, or ` +
        'remove it.',
    );
  }
  if ((mode & OTHERS) !== 0) {
    throw new UsageError(
      `${path} is open to other users (mode ${(mode & 0o777).toString(8)}), so they may have changed it. ${REMOVE}`,
    );
  }
}
