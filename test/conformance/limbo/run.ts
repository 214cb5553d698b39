import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { judge } from './judge.ts';
import type { LimboCase, LimboResult, LimboSuite } from './suite.ts';

export interface LimboRun {
  readonly test: LimboCase;
  readonly result: LimboResult;
  readonly milliseconds: number;
}

/** Every case of the stored suite, judged twice: the second time is timed, when the compiler is done with the first. */
export function runStoredSuite(): readonly LimboRun[] {
  const path = new URL('../data/limbo-dev.json.gz', import.meta.url);
  const suite = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as LimboSuite;
  for (const test of suite.testcases) judge(test, Date.now());
  return suite.testcases.map((test) => {
    const start = performance.now();
    const result = judge(test, Date.now());
    return { test, result, milliseconds: performance.now() - start };
  });
}

export function differs({ test, result }: LimboRun): boolean {
  return result.actual_result !== test.expected_result;
}
