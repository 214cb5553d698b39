import { randomBytes } from 'node:crypto';
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
import { testedKems } from './tested-kems.ts';
import { TestedSignatures } from './tested-signatures.ts';

/**
 * The provider on the libcrypto that Node itself runs on, called without Node's layers in between. Loads and tests it; one for a thread is enough. Throws where libcrypto cannot be reached (koffi does not
 * load, a function is missing) or answers otherwise than node:crypto does; `report` hears of single algorithms that turn
 * out to differ later and are left to node:crypto.
 */
export async function openOpensslProvider(report: (difference: string) => void): Promise<CryptoProvider> {
  const native = await Native.load();
  const hashes = new Hashes(native);
  const signatures = new TestedSignatures(new Signatures(native), report);
  const ciphers = Object.fromEntries(
    Object.values(SUITES).map(({ aead }) => [aead, new SharedCiphers(native, aead)]),
  ) as Record<AeadName, SharedCiphers>;
  const raw = opensslKems(native);
  const tested = testedKems(raw, report);
  const provider: CryptoProvider = Object.freeze({
    name: 'openssl',
    suites: Object.keys(SUITES) as SuiteName[],
    schemes: Object.keys(CERTIFICATE_SCHEMES) as CertificateSchemeName[],
    kems: { ...tested, x25519: raw.x25519, secp256r1: raw.secp256r1 },
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
