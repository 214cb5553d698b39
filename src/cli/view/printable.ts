import { printable } from '#runtime';

/**
 * The same value, of plain JSON, with every text in it fit for a terminal: control characters and line breaks are shown
 * as escapes. Each picture and each line is made from this, since names, peers' words and services' last lines are not ours.
 */
export function printableAll<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(printableAll) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, printableAll(inner)])) as T;
}

/** A line for a terminal that others had a part in, whole where it is not endless. */
export function printableLine(text: string): string {
  return printable(text, LONGEST_LINE);
}

/** The same for text whose line breaks are ours. */
export function printableLines(text: string): string {
  return text.split('\n').map(printableLine).join('\n');
}

const LONGEST_LINE = 8_192;

/** JSON that a terminal shows and does not obey; parsed it is the same value. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

/** All of General Category C but the line breaks of the indentation: within texts JSON escapes those itself. */
const UNPRINTABLE = /[^\P{C}\n]/gu;
