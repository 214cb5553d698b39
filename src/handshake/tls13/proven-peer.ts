import type { VerifiedPeer } from '../verify/peer-verifier.ts';
import type { ChainVerified } from '../verify/verdict.ts';
import type { PeerVerified } from './certificate-verify.ts';
import type { BindersVerified } from './psk.ts';

class SelectedProof {
  readonly #selected = true;

  get selected(): boolean {
    return this.#selected;
  }
}

/** Evidence for a client that the server chose the key that it offered. That it knows it, its Finished will show. */
export type PskSelected = SelectedProof;

/** `index` is the server's choice, `offered` how many keys the ClientHello named. */
export function pskSelected(index: number, offered: number): PskSelected | undefined {
  return index < offered ? new SelectedProof() : undefined;
}

class ResumedProof<Peer extends VerifiedPeer> {
  readonly #peer: Peer;
  /** No signature was made in this handshake. */
  readonly scheme = undefined;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get peer(): Peer {
    return this.#peer;
  }
}

/** Evidence that the peer proved itself in an earlier handshake, and that its chain is believed today. */
export type PeerResumed<Peer extends VerifiedPeer> = ResumedProof<Peer>;

/** Needs today's verdict on the stored chain, and evidence that the peer holds the key of that session. */
export function resumePeer<Peer extends VerifiedPeer>(
  chain: ChainVerified<Peer>,
  _key: BindersVerified | PskSelected,
): PeerResumed<Peer> {
  return new ResumedProof(chain.peer);
}

/** By a signature now, or by an earlier one and today's verdict. */
export type ProvenPeer = PeerVerified<VerifiedPeer> | PeerResumed<VerifiedPeer>;
