import { type CryptoProvider, nodeProvider, openOpensslProvider } from '#handshake/crypto';
import type { Log } from '#runtime';

/** What `--crypto` takes; the first is the default. */
export const PROVIDERS = ['openssl', 'node', 'noble'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

export interface OpenedProvider {
  readonly crypto: CryptoProvider;
  /** How often something was left to node:crypto because libcrypto could not be reached or answered otherwise. */
  readonly fallbacks: () => number;
}

/**
 * The cryptography that a command asked for by its flag. `openssl` gives way to `node`, loudly, where its self-test fails.
 * Only a flag leads to `noble`: neither a file, an environment nor a failure of another.
 */
export async function openProvider(
  name: ProviderName,
  log: Log,
  openOpenssl: typeof openOpensslProvider = openOpensslProvider,
): Promise<OpenedProvider> {
  if (name === 'openssl') return openOrFallBack(log, openOpenssl);
  if (name === 'node') return { crypto: nodeProvider, fallbacks: () => 0 };
  log.warn(NOBLE_WARNING, { crypto: name });
  // Not loaded by anybody who did not ask for it.
  const { nobleProvider } = await import('#handshake/crypto/noble');
  return { crypto: nobleProvider, fallbacks: () => 0 };
}

export const NOBLE_WARNING =
  'TLS runs on the provider noble: JavaScript that is not constant-time, so that whoever can measure it closely may ' +
  'learn keys, and many times slower. It is for comparing. Leave --crypto out to run on openssl.';

export const FALLBACK_WARNING =
  'TLS runs on the provider node, which is slower: libcrypto cannot be used directly here. Nothing is less safe. ' +
  'With --crypto node this is not tried.';

async function openOrFallBack(log: Log, openOpenssl: typeof openOpensslProvider): Promise<OpenedProvider> {
  let count = 0;
  const report = (difference: string): void => {
    count += 1;
    log.warn('libcrypto answers otherwise than node:crypto, which is used instead', { difference });
  };
  try {
    return { crypto: await openOpenssl(report), fallbacks: () => count };
  } catch (error) {
    count += 1;
    log.warn(FALLBACK_WARNING, { why: error instanceof Error ? error.message : String(error) });
    return { crypto: nodeProvider, fallbacks: () => count };
  }
}
