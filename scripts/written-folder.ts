import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));

/** Files that a script writes. */
export interface WrittenFolder {
  /** The name of the script, of this folder. */
  readonly script: string;
  /** From the project's top. */
  readonly folder: string;
  /** Each text by its path in the folder. */
  readonly files: Readonly<Record<string, string>>;
  /** What becomes of other files there. */
  readonly others: 'kept' | 'removed';
}

/**
 * Writes the files that are out of date. With `--check` on the command line it writes nothing, and the process fails if a
 * file is not as it would be; `npm test` runs each script so.
 */
export function writeFolder({ script, folder, files, others }: WrittenFolder): void {
  const check = process.argv.includes('--check');
  const path = join(project, folder);
  const there = filesBelow(path);
  const stale = Object.entries(files).filter(
    ([name, text]) => !there.includes(name) || readFileSync(join(path, name), 'utf8') !== text,
  );
  const strays = others === 'kept' ? [] : there.filter((name) => !Object.hasOwn(files, name));
  if (!check) {
    for (const [name, text] of stale) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    }
    for (const name of strays) rmSync(join(path, name));
  }
  const mend = `run \`node scripts/${script}\``;
  for (const [name] of stale)
    console.log(`${folder}/${name} ${check ? `is out of date: ${mend}` : 'written'}`);
  for (const name of strays) console.log(`${folder}/${name} ${check ? `is too much: ${mend}` : 'removed'}`);
  if (check && stale.length + strays.length > 0) process.exitCode = 1;
}

/** Paths below the folder, sorted; none where there is no folder. */
export function filesBelow(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
