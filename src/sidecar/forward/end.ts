import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Reason, TlsError } from '#handshake';
import type { TlsStream } from '#handshake/stream';
import type { Clock } from '#runtime';
import type { ResetOnDeath } from '../intercept/socket-calls.ts';
import { SIDECAR_REASONS } from '../reason.ts';

/** One side of a forwarded connection: a stream of bytes, and the way to break it off. */
export interface End {
  readonly stream: Duplex;
  /** The socket below; the stream itself where nothing is in between. */
  readonly transport: Socket;
  /** What it means when this side breaks without a reason of its own. */
  readonly broken: Reason;
  /** Breaks it off so that the other side can't take it for an ordinary end. */
  abort(error: TlsError): void;
}

/**
 * A plain socket: broken off by a reset, also when this process is killed, where `resetOnDeath` is to be had. In
 * plaintext nothing else tells an answer that was cut from a whole one.
 */
export function socketEnd(socket: Socket, whose: 'application' | 'peer', resetOnDeath?: ResetOnDeath): End {
  const end = {
    stream: socket,
    transport: socket,
    broken: SIDECAR_REASONS[whose === 'application' ? 'application-reset' : 'peer-reset'],
    abort: () => void socket.resetAndDestroy(),
  };
  return inPlaintext(end, resetOnDeath);
}

/** The same end, of which it is known now that nothing but a reset tells a cut from an end. */
export function inPlaintext(end: End, resetOnDeath: ResetOnDeath | undefined): End {
  const { transport } = end;
  resetOnDeath?.(transport, true);
  // All was written and the FIN is on its way: an ordinary close must not throw away what the other side has yet to get.
  if (resetOnDeath !== undefined) transport.once('prefinish', () => resetOnDeath(transport, false));
  return end;
}

/** A mesh connection: broken off by the reason's alert where it has one, else by a reset of the socket below. */
export function tlsEnd(stream: TlsStream, transport: Socket): End {
  return {
    stream,
    transport,
    broken: SIDECAR_REASONS['peer-reset'],
    abort(error) {
      // It failed by itself: its alert is on the way, which a reset would overtake.
      if (stream.destroyed) return;
      if (error.reason.alert !== undefined) return stream.refuse(error.reason, error.detail);
      // The socket first: destroying the stream would send a FIN ahead of the reset.
      transport.resetAndDestroy();
      stream.destroy(error);
    },
  };
}

/** Resolves when the end's socket is closed; breaks it off if that takes longer than `milliseconds`. */
export function closed({ transport }: End, clock: Clock, milliseconds: number): Promise<void> {
  if (transport.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(milliseconds, () => void transport.resetAndDestroy());
    transport.once('close', () => {
      cancel();
      resolve();
    });
  });
}

/** The error as one with a reason. */
export function failureOf(error: unknown, otherwise: Reason): TlsError {
  if (error instanceof TlsError) return error;
  return new TlsError(otherwise, error instanceof Error ? error.message : String(error));
}
