/** Longest text from outside that one message carries, characters. */
const LONGEST = 1024;

/**
 * Text from outside as it may stand in a log line, an error or on a terminal: control characters, direction marks and
 * lone surrogates become visible escapes such as \u{1b}, and what is longer than 1,024 characters is cut.
 */
export function printable(text: string, longest: number = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}... (${text.length} characters)` : text;
  return cut.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
