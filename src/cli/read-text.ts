import { readFileSync } from 'node:fs';
import { whyUnreadable } from '#runtime';
import { UsageError } from './usage-error.ts';

/**
 * The text of a file that the user named, or of standard input (0). Throws a UsageError that ends with what to do: `Name a mesh
 * file with -f.`
 */
export function readText(path: string | 0, toDo: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const shown = path === 0 ? 'standard input' : path;
    throw new UsageError(`${shown} cannot be read: ${whyUnreadable(error)}. ${toDo}`);
  }
}
