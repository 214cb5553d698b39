import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { handshake, SHOP } from '../testing/sample.ts';
import { paint } from './paint.ts';
import { renderScreen, widthOf } from './screen.ts';
import type { MeshSnapshot } from './snapshot.ts';

const plain = paint({ colours: false, unicode: false });
const colourful = paint({ colours: true, unicode: true });

test.each([
  [60, 24],
  [80, 24],
  [120, 40],
])('what a newcomer sees on %i columns and %i rows', async (columns, rows) => {
  const screen = renderScreen(SHOP, { columns, rows }, plain);
  await expect(`${screen}\n`).toMatchFileSnapshot(`../testing/screen-${columns}x${rows}.txt`);
});

describe('whatever the mesh and the window', () => {
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/);
  const mesh = fc
    .record({
      names: fc.uniqueArray(name, { minLength: 1, maxLength: 30 }),
      warnings: fc.array(fc.lorem(), { maxLength: 4 }),
    })
    .map(({ names, warnings }): MeshSnapshot => {
      const [service] = SHOP.services;
      const edge = SHOP.edges[2];
      if (service === undefined || edge === undefined) throw new Error('the sample is empty');
      return {
        ...SHOP,
        warnings,
        services: names.map((name) => ({
          ...service,
          name,
          identity: `spiffe://shop.example/ns/default/sa/${name}`,
        })),
        edges: names.map((to, index) => ({
          ...edge,
          from: names[0] ?? '',
          to,
          state: index % 2 ? 'denied' : 'failing',
        })),
        handshakes: names.map((service) => handshake({ service })),
      };
    });
  const size = fc.record({
    columns: fc.integer({ min: 20, max: 200 }),
    rows: fc.integer({ min: 2, max: 80 }),
  });

  test('no line is wider and no screen is higher than the window', () => {
    fc.assert(
      fc.property(mesh, size, fc.constantFrom(plain, colourful), (snapshot, window, paint) => {
        const screen = renderScreen(snapshot, window, paint);
        expect(widthOf(screen)).toBeLessThanOrEqual(window.columns);
        expect(screen.split('\n').length).toBeLessThan(window.rows);
      }),
    );
  });

  test('colour adds nothing but colour', () => {
    const ascii = { ...colourful, ellipsis: plain.ellipsis, dot: plain.dot };
    fc.assert(
      fc.property(mesh, size, (snapshot, window) => {
        const screen = renderScreen(snapshot, window, ascii);
        const words = stripVTControlCharacters(screen).replace(/ +$/gm, '');
        expect(words).toBe(renderScreen(snapshot, window, plain));
      }),
    );
  });
});

test('a warning stands where it is seen', () => {
  const warnings = [
    'payments.yaml:3:5 unknown field rulez (did you mean rules?); the last good policies stay in force',
  ];
  const screen = renderScreen({ ...SHOP, warnings }, { columns: 80, rows: 24 }, plain);
  expect(screen).toContain('! payments.yaml:3:5 unknown field rulez');
});

test('a mesh without traffic, certificates or denials yet is shown too', () => {
  const mesh: MeshSnapshot = {
    ...SHOP,
    handshakes: [],
    services: SHOP.services.map((row) => ({ ...row, certificate: undefined, phase: 'starting' })),
    edges: SHOP.edges.map((edge) => ({ ...edge, state: 'permitted', denial: undefined, last: undefined })),
  };
  const screen = renderScreen(mesh, { columns: 80, rows: 24 }, plain);
  expect(screen).toContain('none yet');
  expect(screen).not.toContain('DENIED');
});

test('what is to be added is shown as it must stand in the file', () => {
  const edges = SHOP.edges.map((edge) => {
    if (edge.denial?.edit === undefined) return edge;
    const edit = {
      ...edge.denial.edit,
      line: undefined,
      text: undefined,
      snippet: ['---', 'kind: MeshPolicy'],
    };
    return { ...edge, denial: { ...edge.denial, edit } };
  });
  const screen = renderScreen({ ...SHOP, edges }, { columns: 80, rows: 40 }, plain);
  expect(screen).toMatch(/\+ ---\n +\+ kind: MeshPolicy\n/);
});
