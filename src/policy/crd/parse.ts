import { Composer, type Document, Lexer, LineCounter, Parser } from 'yaml';
import { LIMITS } from '../limits.ts';

/** The documents of one text, or the one thing that made reading it stop. */
export interface ParsedYaml {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
  readonly excess: Excess | undefined;
}

export interface Excess {
  readonly message: string;
  /** Where it was met; undefined when the file as a whole is meant. */
  readonly offset: number | undefined;
}

/**
 * `parseAllDocuments` token by token, so that a text which is too much is given up before it costs more than a good one:
 * the parser alone takes seconds for a megabyte of quotation marks. Throws only if the parser does.
 */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const documents: Document.Parsed[] = [];
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer(OPTIONS);
  const stop = (message: string, offset?: number): ParsedYaml => ({
    documents: [],
    lines,
    excess: { message, offset },
  });
  return withoutStacks(() => {
    let tokens = 0;
    lines.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      tokens += 1;
      if (tokens > LIMITS.tokensPerFile)
        return stop(
          `has more than ${LIMITS.tokensPerFile} YAML tokens (words, signs, line ends); write several files`,
        );
      for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
      if (parser.stack.length > DEEPEST_STACK) return stop(TOO_DEEP, parser.offset);
      if (documents.length > LIMITS.documentsPerFile) break;
    }
    for (const token of parser.end()) documents.push(...composer.next(token));
    documents.push(...composer.end());
    if (documents.length > LIMITS.documentsPerFile)
      return stop(`has more than ${LIMITS.documentsPerFile} documents; write several files`);
    return { documents, lines, excess: undefined };
  });
}

export const TOO_DEEP = `is nested more than ${LIMITS.depth} deep`;

/** The parser's stack holds the document, each collection that is open, and the scalar that is being read. */
const DEEPEST_STACK = LIMITS.depth + 2;

const OPTIONS = {
  version: '1.2',
  schema: 'core',
  strict: true,
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  // Found later, where the message can name both places.
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'silent',
} as const;

/** The parser makes an Error for each mistake, and collecting their stacks costs many times what parsing does. */
function withoutStacks<T>(task: () => T): T {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return task();
  } finally {
    Error.stackTraceLimit = before;
  }
}
