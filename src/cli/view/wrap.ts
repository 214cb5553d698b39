import stringWidth from 'string-width';
import { printable } from '#runtime';
import type { Colour, Paint } from './paint.ts';

/** Cuts a line to `width` visible columns; colours are closed and do not count. */
export function cut(text: string, width: number, ellipsis: string): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let columns = 0;
  for (const piece of text.split(ESCAPE)) {
    if (piece.startsWith(ESC)) {
      kept += piece;
      continue;
    }
    for (const { segment } of SEGMENTER.segment(piece)) {
      columns += stringWidth(segment);
      if (columns > width - stringWidth(ellipsis)) {
        return `${kept}${ellipsis}${kept.includes(ESC) ? `${ESC}[0m` : ''}`;
      }
      kept += segment;
    }
  }
  return kept;
}

/**
 * Breaks `text` at spaces into lines of at most `width` columns; all but the first are indented below `label`. A word
 * that has no room beside the label starts on a line of its own, since a place in a file is no use when it is cut.
 */
export function wrap(label: string, text: string, width: number, paint: Paint, colour?: Colour): string[] {
  const indent = Math.min(stringWidth(label), 4);
  const lines: string[] = [];
  let prefix = label;
  let line = '';
  const flush = (): void => {
    const shaded = colour === undefined || line === '' ? line : paint.colour(colour, line);
    lines.push(cut(`${prefix}${shaded}`.trimEnd(), width, paint.ellipsis));
    prefix = ' '.repeat(indent);
    line = '';
  };
  for (const word of text.split(/\s+/).map((word) => printable(word))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(prefix) + stringWidth(longer) <= width || (line === '' && prefix !== label)) {
      line = longer;
    } else {
      flush();
      line = word;
    }
  }
  flush();
  return lines;
}

/**
 * Breaks a line of YAML at spaces, nothing cut. The lines after the first stand deeper, so that a reader takes them for
 * the same flow collection or quoted text (YAML 1.2.2, 6.5 and 7.4). A word with no room at all is broken anywhere.
 */
export function wrapYaml(row: string, width: number): string[] {
  const indent = row.length - row.trimStart().length;
  const deeper = ' '.repeat(Math.min(indent + YAML_DEEPER, Math.max(width - LEAST_YAML, 0)));
  const lines: string[] = [];
  let line = ' '.repeat(Math.min(indent, Math.max(width - LEAST_YAML, 0)));
  let empty = true;
  const flush = (): void => {
    lines.push(line);
    line = deeper;
    empty = true;
  };
  for (const word of row.trim().split(' ')) {
    if (!empty && stringWidth(line) + 1 + stringWidth(word) > width) flush();
    if (!empty) line += ' ';
    for (const { segment } of SEGMENTER.segment(word)) {
      if (!empty && stringWidth(line) + stringWidth(segment) > width) flush();
      line += segment;
      empty = false;
    }
  }
  flush();
  return lines;
}

const YAML_DEEPER = 4;
const LEAST_YAML = 8;
const ESC = '\u001B';
const ESCAPE = new RegExp(`(${ESC}\\[[0-9;]*m)`);
const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
