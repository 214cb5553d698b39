import type { Socket } from 'node:net';
import { type TlsModeDecision, tlsMode } from '#policy';
import { type Admitted, admit } from '../listen/admit.ts';
import type { InboundParts } from '../parts.ts';

/** Step 1: a connection from the network, with what the port demands of it. */
export interface Accepted extends Admitted {
  readonly mode: TlsModeDecision['mode'];
  /** When its handshake must be over, on the monotonic clock. */
  readonly deadline: number;
}

/** Undefined when the sidecar is at its cap: the socket is gone then. */
export function accept(socket: Socket, parts: InboundParts): Accepted | undefined {
  const { clock, inbound, limits, policies, workload } = parts.config;
  const admitted = admit(socket, 'inbound', undefined, parts);
  if (admitted === undefined) return undefined;
  const { mode } = tlsMode(policies.value, workload, inbound.port);
  return { ...admitted, mode, deadline: clock.monotonic() + limits.handshakeTimeoutMilliseconds };
}
