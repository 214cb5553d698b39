export { nodeProvider, nodeSigner } from './node.ts';
export type { Aead, CryptoProvider, KeyExchange, RunningHash } from './provider.ts';
export { Secret } from './secret.ts';
