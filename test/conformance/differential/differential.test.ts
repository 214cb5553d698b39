import { dirname } from 'node:path';
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { randomFrom } from './chains.ts';
import { compare } from './compare.ts';
import { buildJudge } from './go-judge.ts';

test('changed chains are judged as Go judges them, or a rule says why not', {
  timeout: 120_000,
}, (context) => {
  const judge = buildJudge();
  if (judge === undefined) return context.skip('go is not on this machine');
  try {
    const { agreed, unexplained } = compare(1500, randomFrom(20_260_601), judge);
    expect(unexplained).toEqual([]);
    expect(agreed).toBeGreaterThan(750);
  } finally {
    rmSync(dirname(judge), { recursive: true });
  }
});
