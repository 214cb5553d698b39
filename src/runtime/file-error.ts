/** Why a file could not be read, in words and without its path, which the caller names. */
export function whyUnreadable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return CAUSES.get((error as NodeJS.ErrnoException).code ?? '') ?? error.message;
}

const CAUSES: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ELOOP', 'too many symbolic links'],
  ['ENOTDIR', 'a part of its path is not a directory'],
]);
