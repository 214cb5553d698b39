import type { Socket } from 'node:net';
import { type Reason, TlsError } from '#handshake';
import type { Clock } from '#runtime';
import { SIDECAR_REASONS } from '../reason.ts';

export type Arrival = 'enough' | 'ended' | 'timeout';

/** For `until`: the first byte is enough. */
export function hasAny(bytes: Uint8Array): boolean {
  return bytes.length > 0;
}

/**
 * The bytes that a socket brought before anybody knew whose they are. Nothing is lost: what was read is in `bytes`, and
 * the socket is paused again after each `until`. The caller's `enough` bounds how much is read.
 */
export class FirstBytes {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #broken: Reason;
  #room: Buffer = Buffer.alloc(0);
  #length = 0;

  /** `socket` is paused and has an error listener already. `broken` is what it means when it breaks. */
  constructor(socket: Socket, clock: Clock, broken: Reason = SIDECAR_REASONS['peer-reset']) {
    this.#socket = socket;
    this.#clock = clock;
    this.#broken = broken;
  }

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  /**
   * Reads until `enough` says so, the peer sends FIN, or the time is over. Throws TlsError if the socket breaks, and the
   * signal's reason if it aborts.
   */
  until(enough: (bytes: Uint8Array) => boolean, milliseconds: number, signal: AbortSignal): Promise<Arrival> {
    const socket = this.#socket;
    if (enough(this.bytes)) return Promise.resolve('enough');
    if (socket.readableEnded) return Promise.resolve('ended');
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        cancel();
        socket.pause();
        socket.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
        signal.removeEventListener('abort', onAbort);
        outcome();
      };
      const onData = (chunk: Buffer): void => {
        this.#append(chunk);
        if (enough(this.bytes)) settle(() => resolve('enough'));
      };
      const onEnd = (): void => settle(() => resolve('ended'));
      const onAbort = (): void => settle(() => reject(signal.reason as Error));
      const onClose = (error?: unknown): void => {
        const detail = error instanceof Error ? error.message : 'before its first bytes were complete';
        settle(() => reject(new TlsError(this.#broken, detail)));
      };
      const cancel = this.#clock.after(milliseconds, () => settle(() => resolve('timeout')));
      if (signal.aborted) return onAbort();
      if (socket.destroyed) return onClose();
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
      socket.resume();
    });
  }

  /** The room doubles, so that bytes that trickle in one by one are copied a bounded number of times. */
  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#room.length));
      larger.set(this.bytes);
      this.#room = larger;
    }
    this.#room.set(chunk, this.#length);
    this.#length = length;
  }
}
