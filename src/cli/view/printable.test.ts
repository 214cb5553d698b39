import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DENIED, handshake, SHOP } from '../testing/sample.ts';
import { renderCertificates } from './certificate-table.ts';
import { changes } from './changes.ts';
import { handshakeLine, renderHandshakes } from './handshake-table.ts';
import { paint } from './paint.ts';
import { printableJson } from './printable.ts';
import { renderScreen, widthOf } from './screen.ts';
import type { MeshSnapshot } from './snapshot.ts';
import { renderWaterfall } from './waterfall.ts';
import { wrap } from './wrap.ts';

const plain = paint({ colours: false, unicode: false });
const colourful = paint({ colours: true, unicode: false });

/** What terminals obey: titles, clearing, pictures, colours, C1 codes, line ends, and the marks that turn text round. */
const ORDERS = [
  '\u001b]0;title\u0007',
  '\u001b[2J\u001b[H',
  '\u001b_Gf=100;AAAA\u001b\\',
  '\u001b[31m',
  '\u009b2J',
];
const hostile = fc.oneof(
  fc.constantFrom(...ORDERS, '\r\n', '\n::error::', '\b\b', '\u202e', '\u2066', '\u007f', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const window = fc.record({
  columns: fc.integer({ min: 20, max: 200 }),
  rows: fc.integer({ min: 2, max: 60 }),
});
const OBEYED = /[^\P{C}\n]/u;

describe('whatever the texts of a mesh are, nothing on the terminal is an order to it', () => {
  const shown: [string, (texts: <T>(value: T) => T, columns: number, rows: number) => string][] = [
    ['screen', (texts, columns, rows) => renderScreen(texts(mesh()), { columns, rows }, plain)],
    ['lines', (texts) => changes(undefined, texts(mesh())).join('\n')],
    ['changed lines', (texts) => changes(SHOP, texts(mesh())).join('\n')],
    ['handshakes', (texts, columns) => renderHandshakes(texts(RECORDS), columns, plain).join('\n')],
    ['one handshake', (texts, columns) => handshakeLine(texts(DENIED), columns, plain)],
    ['waterfall', (texts, columns) => renderWaterfall(texts(RECORDS), columns, plain).join('\n')],
    ['certs', (texts, columns) => renderCertificates(texts(SHOP.services), 0, columns, plain).join('\n')],
    ['text', (texts, columns) => wrap('! ', texts('a b'), columns, plain).join('\n')],
    ['JSON', (texts) => printableJson(texts(RECORDS), 2)],
  ];
  test.each(shown)('%s', (_, show) => {
    fc.assert(
      fc.property(hostile, window, (text, { columns, rows }) => {
        expect(show(poisoned(text), columns, rows)).not.toMatch(OBEYED);
      }),
      // Found once: a table cut a character in half.
      { examples: [['\u{1f210}\0', { columns: 95, rows: 11 }]] },
    );
  });

  test('nor does a text forge a line', () => {
    const texts = poisoned('\n12:00:00 all is well\r\n');
    const lines = changes(undefined, texts(mesh())).join('\n').split('\n');
    expect(lines.filter((line) => line.startsWith('12:00:00 all is well'))).toEqual([]);
    expect(renderHandshakes(texts(RECORDS), 200, plain)).toHaveLength(
      renderHandshakes(RECORDS, 200, plain).length,
    );
  });

  test('colours are ours alone, and the window holds it all', () => {
    fc.assert(
      fc.property(hostile, window, (text, size) => {
        const snapshot = poisoned(text)(mesh());
        const screen = renderScreen(snapshot, size, colourful);
        expect(widthOf(screen)).toBeLessThanOrEqual(size.columns);
        const words = stripVTControlCharacters(screen).replace(/ +$/gm, '');
        expect(words).toBe(renderScreen(snapshot, size, plain));
      }),
    );
  });
});

test('JSON that is made printable is the same value', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const value = { [`key ${text}`]: [text] };
      expect(JSON.parse(printableJson(value, 2))).toEqual(value);
    }),
  );
});

const RECORDS = [handshake(), DENIED];

function mesh(): MeshSnapshot {
  return { ...SHOP, warnings: ['orders ended with exit code 1. It last wrote: '] };
}

/** Puts `text` at the end of every text in a value, but for the words that only we choose from. */
function poisoned(text: string): <T>(value: T) => T {
  const poison = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') return OUR_WORDS.has(key) ? value : `${value}${text}`;
    if (Array.isArray(value)) return value.map((inner) => poison(inner));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, poison(inner, name)]));
  };
  return <T>(value: T) => poison(value) as T;
}

const OUR_WORDS = new Set(['state', 'phase', 'result', 'role', 'direction']);
