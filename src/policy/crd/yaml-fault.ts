import type { YAMLError } from 'yaml';

/** What is wrong with a text that is no YAML, and what to do: the library's own words name parts of its parser. */
export function sayYamlFault({ code, message }: Pick<YAMLError, 'code' | 'message'>): string {
  return WORDS.get(code) ?? message.slice(0, 1).toLowerCase() + message.slice(1);
}

const LINE_UP =
  'the lines of one list or one set of fields begin in the same column: line it up with those above';

const WORDS: ReadonlyMap<YAMLError['code'], string> = new Map([
  ['BAD_INDENT', `wrong indentation: ${LINE_UP}, or close a [ or { before it`],
  ['TAB_AS_INDENT', 'tabs do not indent in YAML: write spaces'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    `a field begins here although the one before it has its value: ${LINE_UP}, or put a value with ": " in it in quotes`,
  ],
  [
    'MULTILINE_IMPLICIT_KEY',
    'what stands here is neither a field nor a value: write NAME: VALUE, and line it up with the fields around it',
  ],
  ['MISSING_CHAR', 'something was not closed or not finished: look for a missing quote, : or ,'],
  ['DUPLICATE_KEY', 'this field is there twice: leave one out'],
  ['MULTIPLE_DOCS', 'a second document begins here with ---: write one'],
  ['UNEXPECTED_TOKEN', `this does not belong here: ${LINE_UP}`],
  ['BAD_SCALAR_START', 'a value cannot begin with this character: put the value in quotes'],
  ['BAD_DQ_ESCAPE', 'YAML knows no such escape in double quotes: use single quotes, or write \\\\ for \\'],
]);
