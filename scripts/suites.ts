/**
 * Runs several of the project's npm scripts that are tests, all of them even if one fails, and ends with the sum of
 * their closing lines: `N skipped: reasons` if any, then `N passed, N failed`. Exit code 1 if anything failed.
 *
 * `node scripts/suites.ts test e2e`
 */
import { spawn } from 'node:child_process';

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly reasons: readonly string[];
}

const results: Result[] = [];
for (const name of process.argv.slice(2)) {
  console.log(`\n== npm run ${name}`);
  results.push(await run(name));
}
const sum = (field: 'passed' | 'failed' | 'skipped'): number =>
  results.reduce((total, result) => total + result[field], 0);
if (sum('skipped') > 0) {
  console.log(`${sum('skipped')} skipped: ${results.flatMap(({ reasons }) => reasons).join('; ')}`);
}
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') > 0 ? 1 : 0;

async function run(name: string): Promise<Result> {
  const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  return closingLines(output, code);
}

/** An exit code says failure even where the lines don't, and a suite without a closing line has not run. */
function closingLines(output: string, code: number | null): Result {
  const lines = output.trimEnd().split('\n');
  const [, passed = '0', failed = '1'] = /^(\d+) passed, (\d+) failed$/.exec(lines.at(-1) ?? '') ?? [];
  const [, skipped = '0', reasons = ''] = /^(\d+) skipped: (.*)$/.exec(lines.at(-2) ?? '') ?? [];
  return {
    passed: Number(passed),
    failed: code === 0 ? Number(failed) : Math.max(Number(failed), 1),
    skipped: Number(skipped),
    reasons: reasons === '' ? [] : [reasons],
  };
}
