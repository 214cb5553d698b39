import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Signer } from '../../credentials/signer.ts';
import type { CertificateSchemeName } from '../../schemes.ts';
import { nodeSigner, verifySignature } from '../node/signatures.ts';
import type { Signatures } from './signatures.ts';

/**
 * Signatures as libcrypto judges them, once it has judged as Node does: the first of each scheme is judged by both, as it is
 * and with a bit turned, and so is the first that a key makes. What differs stays with Node and is reported.
 */
export class TestedSignatures {
  readonly #signatures: Signatures;
  readonly #report: (difference: string) => void;
  readonly #verdicts = new Map<CertificateSchemeName, boolean>();

  constructor(signatures: Signatures, report: (difference: string) => void) {
    this.#signatures = signatures;
    this.#report = report;
  }

  /** CryptoProvider.verify. */
  verify(
    scheme: CertificateSchemeName,
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    const isTested = scheme === TESTED_AT_START || this.#verdicts.get(scheme);
    if (isTested === true) return this.#signatures.verify(scheme, publicKey, message, signature);
    const verdict = verifySignature(scheme, publicKey, message, signature);
    // A refusal alone says little: every broken implementation refuses. The next one that holds decides.
    if (isTested === false || !verdict) return verdict;
    const tampered = Uint8Array.from(signature);
    tampered[0]! ^= 1;
    const agrees =
      this.#signatures.verify(scheme, publicKey, message, signature) &&
      !this.#signatures.verify(scheme, publicKey, message, tampered);
    this.#verdicts.set(scheme, agrees);
    if (!agrees) this.#report(scheme);
    return verdict;
  }

  /** A signer for a private key held by this process. Throws for a key that no scheme here can use. */
  signer(privateKey: KeyObject): Signer {
    const node = nodeSigner(privateKey);
    const native = this.#signatures.signer(privateKey);
    const [scheme] = node.schemes;
    if (scheme === undefined) return node;
    return this.#holds(native, privateKey, scheme) ? native : node;
  }

  #holds(native: Signer, privateKey: KeyObject, scheme: Signer['schemes'][number]): boolean {
    const signature = native.sign(scheme, TEXT);
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    const holds = signature instanceof Uint8Array && verifySignature(scheme, spki, TEXT, signature);
    if (!holds) this.#report(`signing with ${scheme}`);
    return holds;
  }
}

/** self-test.ts */
const TESTED_AT_START = 'ecdsa_secp256r1_sha256' satisfies CertificateSchemeName;

const TEXT = Buffer.from('sallyport self-test');
