import type { Socket } from 'node:net';
import { TlsError } from '#handshake';
import type { Connection, Direction } from '../connection.ts';
import { socketEnd } from '../forward/end.ts';
import type { SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { plainAddress } from './endpoint.ts';

/** A connection that was let in, with the socket that it came by. */
export interface Admitted {
  readonly connection: Connection;
  readonly socket: Socket;
  /** Takes it off the registry. */
  readonly release: () => void;
}

/** Registers an accepted socket. At the cap it is reset at once and counted; then there is nothing to go on with. */
export function admit(
  socket: Socket,
  direction: Direction,
  destination: string | undefined,
  { config, connections, refusals }: SidecarParts,
): Admitted | undefined {
  const from = { host: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
  const opened = connections.open({ direction, from, destination });
  if (opened === undefined) {
    const detail = `the cap is ${config.limits.connections}`;
    refusals.count(direction, SIDECAR_REASONS['too-many-connections'], detail);
    socket.resetAndDestroy();
    return undefined;
  }
  // A peer may turn out to speak TLS, whose own closing tells a cut from an end.
  const end =
    direction === 'inbound'
      ? socketEnd(socket, 'peer')
      : socketEnd(socket, 'application', config.capture?.resetOnDeath);
  opened.connection.hold(end);
  return { ...opened, socket };
}

/**
 * A place among the handshakes in progress; the function gives it back. Throws TlsError `too-many-handshakes`. Each
 * direction has its own: strangers that connect and stay silent must not keep the application from calling others.
 */
export function enterHandshake(direction: Direction, parts: SidecarParts): () => void {
  const handshakes = parts.handshakes[direction];
  const leave = handshakes.enter();
  if (leave === undefined) {
    throw new TlsError(SIDECAR_REASONS['too-many-handshakes'], `${handshakes.cap} are in progress`);
  }
  return leave;
}
