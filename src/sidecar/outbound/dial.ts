import type { Socket } from 'node:net';
import { TlsError } from '#handshake';
import { connect } from '../forward/connect.ts';
import { socketEnd } from '../forward/end.ts';
import type { SidecarParts } from '../parts.ts';
import type { Accepted } from './accept.ts';
import { type Route, route } from './route.ts';

/** Step 3: connected to where the route leads; nothing was sent yet. */
export interface Dialled<Way extends Route = Route> {
  readonly route: Way;
  readonly socket: Socket;
}

/**
 * Connects. If that fails, nothing was sent, so the route is asked once more (the callee may have moved) and tried once.
 * Later failures are never retried: the callee may have acted on what it got.
 */
export async function dial(accepted: Accepted, first: Route, parts: SidecarParts): Promise<Dialled> {
  try {
    return await dialOnce(accepted, first, parts);
  } catch (error) {
    if (accepted.connection.signal.aborted || !(error instanceof TlsError)) throw error;
    return dialOnce(accepted, route(accepted, parts), parts);
  }
}

async function dialOnce({ connection }: Accepted, route: Route, { config }: SidecarParts): Promise<Dialled> {
  const { clock, limits } = config;
  connection.phase = 'dialling';
  const socket = await connect(route.address, {
    clock,
    timeoutMilliseconds: limits.connectTimeoutMilliseconds,
    keepAliveMilliseconds: limits.keepAliveMilliseconds,
    signal: connection.signal,
  });
  connection.hold(socketEnd(socket, 'peer'));
  return { route, socket };
}
