export { hkdfExpand, hkdfExtract } from './hkdf.ts';
export type { Kem, KemFault, KemKeyPair, KemName } from './kem.ts';
export { nodeProvider } from './node/index.ts';
export { nodeSigner } from './node/signatures.ts';
export { openOpensslProvider } from './openssl/index.ts';
export type { Aead, CryptoProvider, RunningHash } from './provider.ts';
export { Secret } from './secret.ts';
