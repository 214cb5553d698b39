import type { Result } from '#runtime';
import { type Refusal, TlsError } from '../reason.ts';
import type { VerifiedPeer } from './peer-verifier.ts';

class ChainProof<Peer extends VerifiedPeer> {
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get peer(): Peer {
    return this.#peer;
  }
}

/** Evidence that a verifier believed the peer's chain. Possession of its key is another question. */
export type ChainVerified<Peer extends VerifiedPeer> = ChainProof<Peer>;

/** Turns the verifier's answer into evidence, or ends the connection with the verifier's own reason. */
export function acceptVerdict<Peer extends VerifiedPeer>(
  verdict: Result<Peer, Refusal>,
): ChainVerified<Peer> {
  if (!verdict.ok) throw new TlsError(verdict.error.reason, verdict.error.detail);
  return new ChainProof(verdict.value);
}
