import { createHash, createHmac, hash as hashOnce, randomBytes } from 'node:crypto';
import { CERTIFICATE_SCHEMES, type CertificateSchemeName } from '../../schemes.ts';
import { type HashName, type SuiteName, SUITES } from '../../suites.ts';
import type { CryptoProvider, RunningHash } from '../provider.ts';
import { NodeAead } from './aead.ts';
import { NODE_KEMS } from './kems.ts';
import { nodeSigner, verifySignature } from './signatures.ts';

/** The provider on node:crypto alone: works wherever Node does, and offers all that the engine knows. */
export const nodeProvider: CryptoProvider = {
  name: 'node',
  suites: Object.keys(SUITES) as SuiteName[],
  schemes: Object.keys(CERTIFICATE_SCHEMES) as CertificateSchemeName[],
  kems: NODE_KEMS,
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  startHash: (hash) => new NodeHash(hash),
  hash: (hash, bytes) => hashOnce(hash, bytes, 'buffer'),
  hmac: (hash, key, bytes) => createHmac(hash, key).update(bytes).digest(),
  aead: (aead, key) => new NodeAead(aead, key),
  verify: verifySignature,
  signer: nodeSigner,
};

class NodeHash implements RunningHash {
  #hash: ReturnType<typeof createHash> | undefined;

  constructor(hash: HashName) {
    this.#hash = createHash(hash);
  }

  update(bytes: Uint8Array): void {
    this.#held.update(bytes);
  }

  snapshot(): Uint8Array {
    return this.#held.copy().digest();
  }

  free(): void {
    this.#hash = undefined;
  }

  get #held(): ReturnType<typeof createHash> {
    if (this.#hash === undefined) throw new Error('the hash was freed');
    return this.#hash;
  }
}
