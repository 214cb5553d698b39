import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { wrapYaml } from './wrap.ts';

const flow = '    - serviceAccounts: [{ name: web, namespace: default }, { name: "on", namespace: shop }]';

test('a snippet broken to fit means the same', () => {
  for (let width = 24; width <= 100; width += 1) {
    const lines = wrapYaml(flow, width);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    expect(parse(lines.join('\n'))).toEqual(parse(flow));
  }
});

test('nothing of a line is lost, however narrow', () => {
  const row = fc.string({ maxLength: 80 }).map((text) => text.replace(/\s/g, ' '));
  fc.assert(
    fc.property(row, fc.integer({ min: 9, max: 80 }), (text, width) => {
      const lines = wrapYaml(text, width);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }),
  );
});
