import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Who listens on a TCP port of this machine: "nginx (process 4711)". Undefined where it can't be told: not Linux, or
 * the process is another user's.
 */
export async function portHolder(port: number): Promise<string | undefined> {
  try {
    const inodes = await listeningInodes(port);
    return inodes.size === 0 ? undefined : await processWith(inodes);
  } catch {
    return undefined; // It only makes an error text better; the error itself is reported without it.
  }
}

/** proc(5), /proc/net/tcp: column 2 is local address:port in hexadecimal, column 4 the state, column 10 the inode. */
const LISTEN = '0A';

async function listeningInodes(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const inodes = new Set<string>();
  for (const line of tables.join('\n').split('\n')) {
    const columns = line.trim().split(/\s+/);
    const [, local, , state] = columns;
    const inode = columns[9];
    if (local?.endsWith(suffix) === true && state === LISTEN && inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

async function processWith(inodes: ReadonlySet<string>): Promise<string | undefined> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const id of processes) {
    const descriptors = await readdir(`/proc/${id}/fd`).catch(() => []);
    const links = await Promise.all(
      descriptors.map((descriptor) => readlink(`/proc/${id}/fd/${descriptor}`).catch(() => '')),
    );
    if (!links.some((link) => inodes.has(link.match(/^socket:\[(\d+)\]$/)?.[1] ?? ''))) continue;
    const command = await readFile(`/proc/${id}/comm`, 'utf8').catch(() => 'a process');
    return `${command.trim()} (process ${id})`;
  }
  return undefined;
}
