import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Copies programs into a folder that is to become an image, each with the shared libraries that it loads, all at the
 * paths they have here. Returns the paths of all that was copied. Throws if a program or a library of it isn't there.
 *
 * @param programs paths; or `[from, to]` for one that has another place in the image
 */
export function copyPrograms(
  root: string,
  programs: readonly (string | readonly [string, string])[],
): string[] {
  const copied = programs.flatMap((program) => {
    const [from, to] = typeof program === 'string' ? [program, program] : program;
    const libraries = librariesOf(from);
    copy(from, join(root, to));
    for (const library of libraries) copy(library, join(root, library));
    return [realpathSync(from), ...libraries];
  });
  return [...new Set(copied)].sort();
}

function copy(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(realpathSync(from), to);
  chmodSync(to, 0o755);
}

/** What the dynamic linker would load, as paths. A static program has none. */
function librariesOf(program: string): string[] {
  let output: string;
  try {
    output = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (String((error as { stderr?: unknown }).stderr).includes('not a dynamic executable')) return [];
    throw error;
  }
  if (output.includes('not found')) throw new Error(`${program} needs a library that isn't here:\n${output}`);
  return [...output.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
