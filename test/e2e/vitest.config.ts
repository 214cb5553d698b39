import { defineConfig } from 'vitest/config';
import { LongestFirst } from './cluster/sequence.ts';
import { SummaryReporter } from '../support/summary-reporter.ts';

/**
 * The stories that need a cluster; they aren't in `npm test`. `npm run e2e` runs those that are quick enough for every
 * change, `npm run e2e:long` (mode `long`) the others.
 */
export default defineConfig(({ mode }) => ({
  test: {
    include: [`test/e2e/cluster/${mode === 'long' ? 'long' : 'stories'}/**/*.story.ts`],
    globalSetup: ['test/e2e/cluster/setup.ts'],
    pool: 'forks',
    // Two nodes' worth of pods share the machine's processors as it is.
    maxWorkers: 2,
    watch: false,
    sequence: { sequencer: LongestFirst },
    // A bound for machines that are ten times slower, not a measure.
    testTimeout: mode === 'long' ? 3_600_000 : 600_000,
    hookTimeout: 180_000,
    teardownTimeout: 180_000,
    reporters: ['default', new SummaryReporter()],
  },
}));
