import { inject, type TestContext } from 'vitest';
import { type CryptoProvider, nodeProvider, openOpensslProvider } from '../crypto/index.ts';
import { nobleProvider } from '../crypto/noble/index.ts';
import type { SchemeName } from '../schemes.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- vitest merges it
  interface ProvidedContext {
    /** Which provider the engine's tests run on: vitest.config.ts runs them on each. */
    readonly provider: 'node' | 'noble' | 'openssl' | undefined;
  }
}

/** All, for tests that let them meet. */
export const PROVIDERS: Readonly<Record<'node' | 'noble' | 'openssl', CryptoProvider>> = {
  node: nodeProvider,
  noble: nobleProvider,
  openssl: await openOpensslProvider((difference) => {
    throw new Error(`libcrypto differs from node:crypto in ${difference}`);
  }),
};

export const testProvider: CryptoProvider = PROVIDERS[inject('provider') ?? 'node'];

/** Skips a test of a scheme that the provider under test does not have. */
export function needsScheme(context: TestContext, scheme: SchemeName): void {
  if (!testProvider.schemes.includes(scheme)) {
    context.skip(`the provider ${testProvider.name} does not offer RSA`);
  }
}
