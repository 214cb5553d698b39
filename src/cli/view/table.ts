import Table from 'cli-table3';
import stringWidth from 'string-width';
import type { Paint } from './paint.ts';
import { cut } from './wrap.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** When the width is short, the column with the highest number goes first. Columns without one stay. */
  readonly drop?: number;
  /** Narrower than this the column is cut no further. Default: as wide as its widest cell. */
  readonly least?: number;
  readonly align?: 'left' | 'right';
}

/**
 * Lines of a table without borders that is never wider than `width`: first columns are dropped until the cuts that
 * `least` allows are enough, then cells are cut, and at last the line. Without any title there is no line of titles.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string[] {
  const kept = fitWidth(columns, rows, width);
  const titled = kept.some(({ column }) => column.title !== '');
  const table = new Table({
    head: titled ? kept.map(({ column }) => paint.colour('dim', column.title)) : [],
    colWidths: kept.map(({ width }) => width + GAP),
    colAligns: kept.map(({ column }) => column.align ?? 'left'),
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': GAP, head: [], border: [], compact: true },
    truncate: paint.ellipsis,
    wordWrap: false,
  });
  // Cut here, by whole characters: the library cuts by halves of them.
  const cellOf = (row: Row) => kept.map(({ column, width }) => cut(column.cell(row), width, paint.ellipsis));
  for (const row of rows) table.push(cellOf(row));
  return table
    .toString()
    .split('\n')
    .map((line) => cut(line.trimEnd(), width, paint.ellipsis));
}

const GAP = 2;
const NO_BORDERS = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

interface Kept<Row> {
  readonly column: Column<Row>;
  width: number;
}

function fitWidth<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): Kept<Row>[] {
  let kept: Kept<Row>[] = columns.map((column) => ({ column, width: widest(column, rows) }));
  const excess = (): number => kept.reduce((sum, { width }) => sum + width + GAP, -GAP) - width;
  for (;;) {
    const saving = kept.reduce((sum, { column, width }) => sum + width - leastOf(column, width), 0);
    const last = kept.reduce((drop, { column }) => Math.max(drop, column.drop ?? 0), 0);
    if (excess() <= saving || last === 0) break;
    kept = kept.filter(({ column }) => column.drop !== last);
  }
  for (const entry of kept.toReversed()) {
    if (excess() > 0) entry.width = Math.max(entry.width - excess(), leastOf(entry.column, entry.width));
  }
  return kept;
}

function widest<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((most, row) => Math.max(most, stringWidth(column.cell(row))), stringWidth(column.title));
}

function leastOf<Row>(column: Column<Row>, width: number): number {
  return Math.min(column.least ?? width, width);
}
