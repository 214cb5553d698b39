import { type CryptoProvider, nodeProvider } from '#handshake/crypto';
import type { Log } from '#runtime';

/** What `--crypto` takes. */
export const PROVIDERS = ['node', 'noble'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/**
 * The cryptography that a command asked for by its flag. Only a flag does it: neither a file, an environment nor a
 * failure of the other leads to `noble`.
 */
export async function openProvider(name: ProviderName, log: Log): Promise<CryptoProvider> {
  if (name === 'node') return nodeProvider;
  log.warn(NOBLE_WARNING, { crypto: name });
  // Not loaded by anybody who did not ask for it.
  const { nobleProvider } = await import('#handshake/crypto/noble');
  return nobleProvider;
}

export const NOBLE_WARNING =
  'TLS runs on the provider noble: JavaScript that is not constant-time, so that whoever can measure it closely may ' +
  'learn keys, and many times slower. It is for comparing. Leave --crypto out to run on node.';
