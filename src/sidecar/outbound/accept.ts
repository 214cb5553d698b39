import type { Socket } from 'node:net';
import type { Called } from '../config.ts';
import { type Admitted, admit } from '../listen/admit.ts';
import type { SidecarParts } from '../parts.ts';
import { nameOf } from './route.ts';

/**
 * Step 1: a call of our application. Its socket stays paused until the way to the callee stands: what it sends
 * meanwhile waits in the system's bounded buffer, unread.
 */
export interface Accepted extends Admitted {
  readonly called: Called;
}

/** Undefined when the sidecar is at its cap: the socket is gone then. */
export function accept(socket: Socket, called: Called, parts: SidecarParts): Accepted | undefined {
  const admitted = admit(socket, 'outbound', nameOf(called), parts);
  return admitted === undefined ? undefined : { ...admitted, called };
}
