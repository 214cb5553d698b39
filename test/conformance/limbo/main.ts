/** x509-limbo's contract for harnesses: a suite as JSON on stdin, its results as JSON on stdout. */
import { readFileSync } from 'node:fs';
import { judge } from './judge.ts';
import type { LimboSuite } from './suite.ts';

const suite = JSON.parse(readFileSync(0, 'utf8')) as LimboSuite;
if (suite.version !== 1) throw new Error(`the suite has version ${suite.version}; only version 1 is read`);
const results = suite.testcases.map((test) => judge(test, Date.now()));
process.stdout.write(`${JSON.stringify({ version: 1, harness: 'sallyport', results })}\n`);
