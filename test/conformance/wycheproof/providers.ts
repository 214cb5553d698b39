import { type CryptoProvider, nodeProvider } from '#handshake/crypto';
import { nobleProvider } from '#handshake/crypto/noble';

export const PROVIDERS: readonly CryptoProvider[] = [nodeProvider, nobleProvider];
