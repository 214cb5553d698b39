import type { Socket } from 'node:net';
import { TlsError } from '#handshake';
import { plainAddress } from '#runtime';
import type { Connection, Direction } from '../connection.ts';
import { type End, socketEnd } from '../forward/end.ts';
import type { SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Admission } from './admission.ts';

/** A connection that was let in, with the socket that it came by. */
export interface Admitted {
  readonly connection: Connection;
  readonly socket: Socket;
  /** The same socket as what the connection answers for. */
  readonly end: End;
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
  return { ...opened, socket, end };
}

/**
 * A place among the application's handshakes in progress; the function gives it back. Throws TlsError
 * `too-many-handshakes`. Inbound ones are counted apart: strangers must not keep the application from calling others.
 */
export function enterOutboundHandshake({ handshakes: { outbound } }: SidecarParts): () => void {
  const leave = outbound.enter();
  if (leave === undefined) {
    throw new TlsError(SIDECAR_REASONS['too-many-handshakes'], detailOf(outbound));
  }
  return leave;
}

/**
 * Likewise for a connection from the network. Anybody can connect and say nothing, or too little, so when all places are
 * taken the handshake that has lasted longest ends: an honest one is over long before.
 */
export function enterInboundHandshake(connection: Connection, { handshakes }: SidecarParts): () => void {
  const { inbound } = handshakes;
  return inbound.enterInPlaceOfOldest(() =>
    connection.end(SIDECAR_REASONS['too-many-handshakes'], detailOf(inbound)),
  );
}

function detailOf({ cap }: Admission): string {
  return `${cap} are in progress`;
}
