import { err, ok, type Result } from '#runtime';

/** How long a comma-separated value may be, and how many entries it may have: an annotation is read by people. */
export const LONGEST_LIST_CHARACTERS = 4_096;
export const MOST_LIST_ENTRIES = 128;

/**
 * Splits `80, 443` and parses every entry. Spaces around an entry are allowed; an empty value is an empty list. The error
 * holds every mistake, each naming its entry.
 */
export function parseList<T>(
  text: string,
  parse: (entry: string) => Result<T, string>,
): Result<readonly T[], readonly string[]> {
  if (text.length > LONGEST_LIST_CHARACTERS) {
    return err([`it has ${text.length} characters, at most ${LONGEST_LIST_CHARACTERS} are read`]);
  }
  if (trimSpaces(text) === '') return ok([]);
  const entries = text.split(',').map(trimSpaces);
  if (entries.length > MOST_LIST_ENTRIES) {
    return err([`it has ${entries.length} entries, at most ${MOST_LIST_ENTRIES} are read`]);
  }
  const values: T[] = [];
  const mistakes: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const parsed = entry === '' ? err('is empty') : parse(entry);
    if (parsed.ok) values.push(parsed.value);
    else mistakes.push(`entry ${index + 1} ${parsed.error}`);
  }
  return mistakes.length === 0 ? ok(values) : err(mistakes);
}

/** A value from outside in an error text: escaped, so that it can't add lines to a log, and cut. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

const LONGEST_QUOTE = 40;

/** String.trim would take line ends away too, which don't belong into such a value. */
function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, '');
}
