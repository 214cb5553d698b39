import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ANNOTATIONS } from './choices.ts';
import { INJECTION_REASONS } from './reasons.ts';

const page = readFileSync(new URL('../../../docs/injection.md', import.meta.url), 'utf8');

test('docs/injection.md names every annotation and every reason', () => {
  for (const name of ANNOTATIONS) expect(page).toContain(name);
  for (const code of Object.keys(INJECTION_REASONS))
    if (code !== 'pod-malformed') expect(page).toContain(code);
});
