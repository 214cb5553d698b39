import type { PeerVerifier } from '#handshake';
import type { SpiffePeer } from '#identity';
import type { CheckedConfig } from './config.ts';
import type { Direction } from './connection.ts';
import type { Connections } from './connections.ts';
import type { PlaintextPeers } from './inbound/plaintext-peers.ts';
import type { Admission } from './listen/admission.ts';
import type { Refusals } from './listen/refusals.ts';
import type { Sessions } from './sessions.ts';
import type { Balancer } from './outbound/balancer.ts';

/** What the steps of both paths share. */
export interface SidecarParts {
  readonly config: CheckedConfig;
  readonly connections: Connections;
  /** Handshakes in progress, each direction for itself. */
  readonly handshakes: Readonly<Record<Direction, Admission>>;
  readonly refusals: Refusals;
  /** Chooses among the endpoints of Services. */
  readonly balancer: Balancer;
  /** Undefined: every mesh connection begins with a full handshake. */
  readonly sessions: Sessions | undefined;
}

export interface InboundParts extends SidecarParts {
  /** Judges callers' certificates. */
  readonly callers: PeerVerifier<SpiffePeer>;
  readonly plaintextPeers: PlaintextPeers;
}
