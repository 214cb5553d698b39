import { type CryptoProvider, nodeProvider, openOpensslProvider } from '#handshake/crypto';
import { nobleProvider } from '#handshake/crypto/noble';

/** A difference from node:crypto is no verdict on either: it must not be passed over here. */
function refuse(difference: string): never {
  throw new Error(difference);
}

export const PROVIDERS: readonly CryptoProvider[] = [
  nodeProvider,
  await openOpensslProvider(refuse),
  nobleProvider,
];
