import type { Fields, Log } from '#runtime';

export interface Line extends Fields {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}

/** A log whose lines stay to be looked at. */
export function keptLog(lines: Line[] = [], bound: Fields = {}): Log & { readonly lines: readonly Line[] } {
  const write =
    (level: Line['level']) =>
    (message: string, fields: Fields = {}) =>
      void lines.push({ ...bound, ...fields, level, message });
  return {
    lines,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => keptLog(lines, { ...bound, ...fields }),
  };
}
