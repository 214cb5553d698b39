import type { Result } from '#runtime';
import { type Refusal, TlsError } from '../reason.ts';
import type { PeerVerifier, VerifiedPeer } from './peer-verifier.ts';

class ChainProof<Peer extends VerifiedPeer> {
  readonly #peer: Peer;
  readonly #verifier: PeerVerifier<Peer> | undefined;

  constructor(peer: Peer, verifier: PeerVerifier<Peer> | undefined) {
    this.#peer = peer;
    this.#verifier = verifier;
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** The peer's CertificateVerify holds: its verifier is told. */
  proved(): void {
    this.#verifier?.proved?.(this.#peer);
  }
}

/** Evidence that a verifier believed the peer's chain. Possession of its key is another question. */
export type ChainVerified<Peer extends VerifiedPeer> = ChainProof<Peer>;

/**
 * Turns the verifier's answer into evidence, or ends the connection with the verifier's own reason. `verifier` hears of the
 * proof of possession, where one is asked for.
 */
export function acceptVerdict<Peer extends VerifiedPeer>(
  verdict: Result<Peer, Refusal>,
  verifier?: PeerVerifier<Peer>,
): ChainVerified<Peer> {
  if (!verdict.ok) throw new TlsError(verdict.error.reason, verdict.error.detail);
  return new ChainProof(verdict.value, verifier);
}
