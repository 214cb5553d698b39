import { chmodSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** Where one mesh keeps its CA, its logs and what the other commands need to find it. */
export interface StateFolder {
  readonly path: string;
  readonly ca: string;
  readonly logs: string;
  /** Of the control socket. */
  readonly socket: string;
  /** The record that `handshakes` and `certs` read. */
  readonly record: string;
}

/** Makes the folder (0700) if there is none. Refuses one that others can read, since the CA's keys are in it. */
export function openStateFolder(path: string): StateFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new UsageError(
        `The state folder ${path} cannot be made: a file stands there or on the way. Name a folder in \`state\`, or move the file away.`,
      );
    }
    throw new UsageError(`The state folder ${path} cannot be made: ${(error as Error).message}.`);
  }
  const { mode, uid } = statSync(path);
  if (uid !== process.getuid?.()) {
    throw new UsageError(
      `The state folder ${path} belongs to another user. Name a folder of your own in \`state\`.`,
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new UsageError(
      `The state folder ${path} is open to other users (mode ${(mode & 0o777).toString(8)}), and the keys of the CA ` +
        `are kept there. Run: chmod 700 ${path}`,
    );
  }
  const folder = statePaths(path);
  mkdirSync(folder.logs, { recursive: true, mode: 0o700 });
  return { ...folder, socket: bindable(folder.socket) };
}

/** The same names without touching the disk. */
export function statePaths(path: string): StateFolder {
  return {
    path,
    ca: join(path, 'ca'),
    logs: join(path, 'logs'),
    socket: join(path, 'control.sock'),
    record: join(path, 'up.json'),
  };
}

/** sockaddr_un has 104 bytes on macOS and 108 on Linux, the last one zero. */
const LONGEST_SOCKET_PATH = 103;

function bindable(socket: string): string {
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return socket;
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'));
  chmodSync(folder, 0o700);
  return join(folder, 'control.sock');
}
