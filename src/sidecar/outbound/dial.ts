import type { Socket } from 'node:net';
import { connect } from '../forward/connect.ts';
import { type End, socketEnd } from '../forward/end.ts';
import type { SidecarParts } from '../parts.ts';
import type { Accepted } from './accept.ts';
import type { Route } from './route.ts';

/** Step 3: connected to where the route leads; nothing was sent yet. */
export interface Dialled<Way extends Route = Route> {
  readonly route: Way;
  readonly socket: Socket;
  /** The same socket as what the connection answers for. */
  readonly end: End;
}

/** Throws TlsError, as `connect` does. */
export async function dial<Way extends Route>(
  { connection }: Accepted,
  route: Way,
  { config }: SidecarParts,
): Promise<Dialled<Way>> {
  const { clock, limits } = config;
  connection.phase = 'dialling';
  const socket = await connect(route.address, {
    clock,
    timeoutMilliseconds: limits.connectTimeoutMilliseconds,
    keepAliveMilliseconds: limits.keepAliveMilliseconds,
    signal: connection.signal,
  });
  const end = socketEnd(socket, 'peer');
  connection.hold(end);
  return { route, socket, end };
}
