import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../support/summary-reporter.ts';

/** The stories that need a cluster: `npm run e2e`. They aren't in `npm test`. */
export default defineConfig({
  test: {
    include: ['test/e2e/cluster/stories/**/*.story.ts'],
    globalSetup: ['test/e2e/cluster/setup.ts'],
    pool: 'forks',
    // Two nodes' worth of pods share the machine's processors as it is.
    maxWorkers: 2,
    watch: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
    reporters: ['default', new SummaryReporter()],
  },
});
