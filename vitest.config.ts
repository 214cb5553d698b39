import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.ts';

const ON_NOBLE = [
  'authentication-refusals',
  'handshake-matrix',
  'key-share-refusals',
  'negotiate',
  'parameters',
  'protected-records',
  'records-per-key',
  'tls13/rfc8448',
  'wiping',
].map((name) => `src/handshake/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'all', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] } },
      // Those of the engine's tests whose outcome is the provider's doing, again on JavaScript alone.
      { extends: true, test: { name: 'noble', include: ON_NOBLE, provide: { provider: 'noble' } } },
      // All that make connections, on the provider that the product runs on by default.
      {
        extends: true,
        test: {
          name: 'openssl',
          include: ['src/handshake/*.test.ts', 'src/handshake/{stream,tickets,tls13}/**/*.test.ts'],
          provide: { provider: 'openssl' },
        },
      },
    ],
    exclude: ['**/node_modules/**', 'test/e2e/long/**'],
    pool: 'forks',
    watch: false,
    // What a slow machine may take: no test says anything by it.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    teardownTimeout: 10_000,
    reporters: ['default', new SummaryReporter()],
  },
});
