import type { Socket } from 'node:net';
import { type TlsModeDecision, tlsMode } from '#policy';
import { type Admitted, admit } from '../listen/admit.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { InboundParts } from '../parts.ts';

/** What the caller connected to. */
export interface InboundTarget {
  readonly application: Endpoint;
  /** The port as policies, the SNI and callers name it. */
  readonly port: number;
  /** The protocol begins with the server: nothing that a plaintext caller sends can be waited for. */
  readonly serverFirst: boolean;
}

/** Step 1: a connection from the network, with what the port demands of it. */
export interface Accepted extends Admitted {
  readonly target: InboundTarget;
  readonly mode: TlsModeDecision['mode'];
  /** When its handshake must be over, on the monotonic clock. */
  readonly deadline: number;
}

/** Undefined when the sidecar is at its cap: the socket is gone then. */
export function accept(socket: Socket, target: InboundTarget, parts: InboundParts): Accepted | undefined {
  const { clock, limits, policies, workload } = parts.config;
  const admitted = admit(socket, 'inbound', undefined, parts);
  if (admitted === undefined) return undefined;
  const { mode } = tlsMode(policies.value, workload, target.port);
  return { ...admitted, target, mode, deadline: clock.monotonic() + limits.handshakeTimeoutMilliseconds };
}
