import type { CryptoProvider } from '../crypto/provider.ts';
import type { Secret } from '../crypto/secret.ts';
import { fail } from '../reasons.ts';
import type { Suite } from '../suites.ts';
import { Deriver } from './key-schedule.ts';

class FinishedProof {
  readonly #verified = true;

  get verified(): boolean {
    return this.#verified;
  }
}

/** Evidence that the peer's Finished held: both sides saw the same handshake and hold the same keys. */
export type FinishedVerified = FinishedProof;

/** RFC 8446 4.4.4: the verify_data that the owner of `baseKey` sends. */
export function verifyData(
  crypto: CryptoProvider,
  suite: Suite,
  baseKey: Secret,
  hash: Uint8Array,
): Uint8Array {
  return new Deriver(crypto, suite).finished(baseKey, hash).expose();
}

/** RFC 8446 4.4.4: "Recipients of Finished messages MUST verify that the contents are correct". */
export function checkFinished(
  crypto: CryptoProvider,
  suite: Suite,
  baseKey: Secret,
  transcriptHash: Uint8Array,
  received: Uint8Array,
): FinishedVerified {
  const expected = new Deriver(crypto, suite).finished(baseKey, transcriptHash);
  if (!expected.equals(received)) fail('incorrect-finished');
  return new FinishedProof();
}
