import { createHash } from 'node:crypto';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { whyUnreadable } from '#runtime';
import type { PolicyPath } from '../compile/policy-set.ts';
import { type PolicyProblem, problemAt } from '../crd/problem.ts';
import { LIMITS } from '../limits.ts';
import type { PolicyFile } from '../read-policies.ts';

/** A directory whose entries decide what is read; `identity` changes when another directory takes its name. */
export interface WatchedDirectory {
  readonly path: string;
  readonly identity: string;
}

/** What the named files and directories held at one moment. */
export interface Snapshot {
  readonly files: readonly PolicyFile[];
  readonly paths: readonly PolicyPath[];
  /** What could not be read, and what was passed over. */
  readonly problems: readonly PolicyProblem[];
  readonly directories: readonly WatchedDirectory[];
  /** SHA-256 over all of the above but `directories`: equal digests mean that nothing changed. */
  readonly digest: string;
}

/** The files that are not the same in both, by name: other text, or there in only one, or with another problem. */
export function differingFiles(a: Snapshot, b: Snapshot): ReadonlySet<string> {
  const before = stateOf(a);
  const after = stateOf(b);
  const names = new Set([...before.keys(), ...after.keys()]);
  for (const name of names) if (before.get(name) === after.get(name)) names.delete(name);
  return names;
}

function stateOf({ files, problems }: Snapshot): ReadonlyMap<string, string> {
  const state = new Map(files.map(({ file, text }) => [file, text]));
  for (const { file, message } of problems) state.set(file, `${state.get(file) ?? ''}\n${message}`);
  return state;
}

/**
 * Reads `paths`: files whatever their name, and in directories `*.yaml`, `*.yml` and `*.json` whose name does not start
 * with a dot (editors' temporary files, a mounted ConfigMap's `..data`). Directories in directories are not entered, and
 * said so. Never rejects: what cannot be read becomes a problem.
 */
export async function readSnapshot(paths: readonly string[]): Promise<Snapshot> {
  const reading = new Reading();
  for (const path of paths) await reading.path(path);
  return reading.finish();
}

class Reading {
  readonly #files: PolicyFile[] = [];
  readonly #paths: PolicyPath[] = [];
  readonly #problems: PolicyProblem[] = [];
  readonly #directories: WatchedDirectory[] = [];
  /** Real paths: a file that is named and also lies in a named directory is read once. */
  readonly #seen = new Set<string>();
  #bytes = 0;

  async path(path: string): Promise<void> {
    await this.#attempt(path, async () => {
      const status = await stat(path);
      this.#paths.push({ path, directory: status.isDirectory() });
      if (status.isDirectory()) {
        this.#directories.push({ path, identity: `${status.dev}:${status.ino}` });
        await this.#directory(path);
      } else {
        await this.#parent(path);
        await this.#file(path);
      }
    });
  }

  finish(): Snapshot {
    const hash = createHash('sha256');
    hash.update(JSON.stringify([this.#files, this.#paths, this.#problems]));
    return {
      files: this.#files,
      paths: this.#paths,
      problems: this.#problems,
      directories: this.#directories,
      digest: hash.digest('hex'),
    };
  }

  /** Renames into and out of the name of a file show in its directory, not on the file. */
  async #parent(path: string): Promise<void> {
    const parent = dirname(path);
    const status = await stat(parent);
    this.#directories.push({ path: parent, identity: `${status.dev}:${status.ino}` });
  }

  async #directory(directory: string): Promise<void> {
    for (const name of (await readdir(directory)).sort()) {
      if (name.startsWith('.')) continue;
      const path = join(directory, name);
      await this.#attempt(path, async () => {
        if ((await stat(path)).isDirectory()) {
          this.#problem(
            path,
            'is a directory in a directory and is not read; name it beside the other paths',
            'warning',
          );
        } else if (EXTENSIONS.some((extension) => name.endsWith(extension))) {
          await this.#file(path);
        }
      });
    }
  }

  async #file(path: string): Promise<void> {
    const real = await realpath(path);
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    if (this.#files.length >= LIMITS.files)
      return this.#problem(path, `is one file too many; at most ${LIMITS.files} are read`);
    const bytes = await readBounded(path);
    if (typeof bytes === 'string') return this.#problem(path, bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > LIMITS.totalBytes) {
      return this.#problem(
        path,
        `brings all files together over ${LIMITS.totalBytes} bytes, which is as much as is read`,
      );
    }
    this.#files.push({ file: path, text: decode(bytes) ?? this.#notText(path) });
  }

  #notText(path: string): string {
    this.#problem(path, 'is not UTF-8 text');
    return '';
  }

  async #attempt(path: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#problem(path, `cannot be read: ${whyUnreadable(error)}`);
    }
  }

  #problem(path: string, message: string, severity: PolicyProblem['severity'] = 'error'): void {
    this.#problems.push(problemAt(path, undefined, message, { severity }));
  }
}

const EXTENSIONS = ['.yaml', '.yml', '.json'];

/** The file's bytes, or why it isn't read. One byte over the bound is enough to know, whatever `stat` said before. */
async function readBounded(path: string): Promise<Uint8Array | string> {
  // Opening a FIFO would wait for its writer.
  if (!(await stat(path)).isFile()) return 'is not a regular file';
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(LIMITS.fileBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    return length > LIMITS.fileBytes
      ? `is larger than ${LIMITS.fileBytes} bytes`
      : buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/** Undefined for bytes that are not UTF-8: a replacement character could turn one name into another. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
