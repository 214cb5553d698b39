import type { Result } from '#runtime';
import type { Refusal } from '../reason.ts';
import type { KeyType } from '../schemes.ts';

/** What a peer showed; `role` is the peer's, not ours. */
export interface PresentedChain {
  readonly role: 'client' | 'server';
  /** DER certificates as they came, leaf first; at least one. Untrusted. */
  readonly chain: readonly Uint8Array[];
  /** DER OCSPResponse (RFC 6960) that came with the leaf, if one was asked for and sent. Untrusted. */
  readonly ocspResponse?: Uint8Array;
}

/** What the engine and its observers need of a certificate that was believed. */
export interface VerifiedPeer {
  /** SubjectPublicKeyInfo of the leaf, DER. */
  readonly publicKey: Uint8Array;
  readonly keyType: KeyType;
  /** Whom the certificate names, for people and logs (a SPIFFE ID in the mesh). */
  readonly identity: string;
  /** Serial number of the leaf, lower-case hexadecimal. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly notAfter: number;
}

/** Judges certificates; the engine only asks. A rejected promise or exception counts as a refusal, never as trust. */
export interface PeerVerifier<Peer extends VerifiedPeer = VerifiedPeer> {
  verify(presented: PresentedChain): Result<Peer, Refusal> | Promise<Result<Peer, Refusal>>;
  /**
   * `peer`, the very object that `verify` answered with, has proved that it holds its key (RFC 8446 4.4.3): what was found
   * out about its chain may be kept. Must not throw.
   */
  proved?(peer: Peer): void;
}
