import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

const NO_REASON = 'no reason given';

/**
 * Ends `npm test` with what was skipped and why, and with `N passed, N failed` alone on the last line. A skip without
 * a reason is a failure; so is all else that makes the run fail without a failing test (a file that doesn't load, an
 * unhandled error, no tests at all): a run that exits with an error never says `0 failed`.
 */
export class SummaryReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skips = new Map<string, number>();
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
    // Vitest writes its last words after onTestRunEnd, and may still fail then: print when nothing can follow.
    process.once('exit', (code) => this.#print(code));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#passed = 0;
    this.#failed = unhandledErrors.length;
    this.#skips = new Map();
    for (const module of modules) this.#countSuite(module);
    if (this.#failed > 0) process.exitCode = 1;
  }

  #countSuite(suite: TestModule | TestSuite): void {
    if (suite.errors().length > 0) this.#failed += 1;
    for (const child of suite.children) {
      if (child.type === 'suite') this.#countSuite(child);
      else this.#countTest(child);
    }
  }

  #countTest(test: TestCase): void {
    const result = test.result();
    if (result.state === 'passed') this.#passed += 1;
    else if (result.state === 'failed') this.#failed += 1;
    else if (result.state === 'pending') this.#addSkip('the run ended before it did');
    else this.#countSkip(test, result.note);
  }

  #countSkip(test: TestCase, note: string | undefined): void {
    if (note === undefined && this.#filtered) return;
    const reason = note ?? (hasFailedSuite(test) ? 'its suite failed to start' : NO_REASON);
    this.#addSkip(reason);
    if (reason === NO_REASON) this.#failed += 1;
  }

  #addSkip(reason: string): void {
    this.#skips.set(reason, (this.#skips.get(reason) ?? 0) + 1);
  }

  #print(exitCode: number): void {
    const failed = exitCode === 0 ? this.#failed : Math.max(this.#failed, 1);
    const skipped = [...this.#skips.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...this.#skips].map(([reason, count]) => `${reason} (${count})`).join('; ');
    const skipLine = skipped > 0 ? `${skipped} skipped: ${reasons}\n` : '';
    process.stdout.write(`${skipLine}${this.#passed} passed, ${failed} failed\n`);
  }
}

function hasFailedSuite(test: TestCase): boolean {
  let suite: TestSuite | TestModule = test.parent;
  while (suite.type === 'suite' && suite.errors().length === 0) suite = suite.parent;
  return suite.errors().length > 0;
}
