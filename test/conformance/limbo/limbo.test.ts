import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIFFERENCES } from './differences.ts';
import { isFalseAccept, limboPage, PAGE } from './page.ts';
import { differs, runStoredSuite } from './run.ts';

const runs = runStoredSuite();

test('no chain is accepted that should not be', () => {
  expect(runs.filter(isFalseAccept).map(({ test: { id } }) => id)).toEqual([]);
});

test('at least 747 cases end as expected, and each that differs says why', () => {
  expect(runs.filter((run) => !differs(run)).length).toBeGreaterThanOrEqual(747);
  expect(runs.filter(differs).map(({ test: { id } }) => id)).toEqual(Object.keys(DIFFERENCES));
});

test('no case is slow', () => {
  const slow = runs.filter(({ milliseconds }) => milliseconds > MOST_MILLISECONDS);
  expect(slow.map(({ test: { id }, milliseconds }) => `${id}: ${milliseconds.toFixed(1)} ms`)).toEqual([]);
});

/** Half a second on a busy machine is 50 ms on a quiet one; docs/performance.md has the figures. */
const MOST_MILLISECONDS = 500;

test('docs/reference/limbo.md says what came out', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(limboPage(runs));
});

test('the harness speaks the format of x509-limbo', () => {
  const harness = new URL('../limbo-harness', import.meta.url).pathname;
  const [first] = runs;
  const suite = { version: 1, testcases: [first?.test] };
  const { stdout, status } = spawnSync(harness, { input: JSON.stringify(suite), encoding: 'utf8' });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ version: 1, harness: 'sallyport', results: [first?.result] });
});
