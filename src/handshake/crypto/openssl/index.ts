import { type KeyObject, randomBytes } from 'node:crypto';
import type { Signer } from '../../credentials/signer.ts';
import { CERTIFICATE_SCHEMES, type CertificateSchemeName } from '../../schemes.ts';
import { type AeadName, type SuiteName, SUITES } from '../../suites.ts';
import { nodeProvider } from '../node/index.ts';
import type { CryptoProvider } from '../provider.ts';
import { OpensslAead, SharedCiphers } from './aead.ts';
import { Hashes } from './hash.ts';
import { opensslKems } from './kems.ts';
import { Native } from './native.ts';
import { differenceFrom } from './self-test.ts';
import { Signatures } from './signatures.ts';
import { TestedSignatures } from './tested-signatures.ts';

/** The provider on the libcrypto that Node itself runs on, called without Node's layers in between. */
export interface OpensslProvider extends CryptoProvider {
  /** A signer for a private key held by this process. Throws for a key that no scheme here can use. */
  signer(privateKey: KeyObject): Signer;
}

/**
 * Loads and tests the provider; one for a thread is enough. Throws where libcrypto cannot be reached (koffi does not
 * load, a function is missing) or answers otherwise than node:crypto does; `report` hears of single algorithms that turn
 * out to differ later and are left to node:crypto.
 */
export async function openOpensslProvider(report: (difference: string) => void): Promise<OpensslProvider> {
  const native = await Native.load();
  const hashes = new Hashes(native);
  const signatures = new TestedSignatures(new Signatures(native), report);
  const ciphers = Object.fromEntries(
    Object.values(SUITES).map(({ aead }) => [aead, new SharedCiphers(native, aead)]),
  ) as Record<AeadName, SharedCiphers>;
  const provider: OpensslProvider = Object.freeze({
    name: 'openssl',
    suites: Object.keys(SUITES) as SuiteName[],
    schemes: Object.keys(CERTIFICATE_SCHEMES) as CertificateSchemeName[],
    kems: opensslKems(native),
    // Node fills a pool at once; a native call for each would cost more.
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
    startHash: hashes.start.bind(hashes),
    hash: hashes.hash.bind(hashes),
    hmac: hashes.hmac.bind(hashes),
    aead: (aead: AeadName, key: Uint8Array) => new OpensslAead(ciphers[aead], key),
    verify: signatures.verify.bind(signatures),
    signer: signatures.signer.bind(signatures),
  });
  const difference = differenceFrom(nodeProvider, provider);
  if (difference !== undefined) throw new Error(`libcrypto differs from node:crypto in ${difference}`);
  return provider;
}
