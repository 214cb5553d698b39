import type { Duplex } from 'node:stream';
import { TlsError } from '#handshake';
import type { Clock } from '#runtime';
import { SIDECAR_REASONS } from '../reason.ts';
import { type End, failureOf } from './end.ts';
import { IdleTimer } from './idle-timer.ts';

/** Whom the bytes are counted for, and who may order the end. */
export interface Passage {
  /** Aborted with a TlsError: why it has to end. */
  readonly signal: AbortSignal;
  /** Bytes that came from the peer for the application, and that go the other way. Called for every chunk. */
  received(bytes: number): void;
  sent(bytes: number): void;
}

export interface ForwardOptions {
  readonly clock: Clock;
  readonly idleTimeoutMilliseconds: number;
  /** What was read from the peer already and comes before everything else. */
  readonly unread?: Uint8Array;
}

/**
 * Passes bytes both ways until both directions ended. The end of one direction is passed on as that (half-close) while
 * the other goes on. Memory is bounded by both streams' buffers: the reader pauses while the writer is full. Anything
 * but two ordinary ends breaks both sides off and throws the TlsError that says why: to neither side does a broken
 * connection look like one that ended.
 */
export function forward(
  application: End,
  peer: End,
  passage: Passage,
  { clock, idleTimeoutMilliseconds, unread }: ForwardOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = passage;
    let over = false;
    const finish = (): void => {
      over = true;
      idle.stop();
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: TlsError): void => {
      if (over) return;
      finish();
      for (const end of [application, peer]) end.abort(error);
      reject(error);
    };
    const abort = (): void => fail(failureOf(signal.reason, SIDECAR_REASONS.shutdown));
    const idle = new IdleTimer(clock, idleTimeoutMilliseconds, () => {
      fail(new TlsError(SIDECAR_REASONS['idle-timeout'], `${idleTimeoutMilliseconds} ms`));
    });
    const check = (): void => {
      if (over || !isDone(application.stream) || !isDone(peer.stream)) return;
      finish();
      resolve();
    };
    for (const { stream, broken } of [application, peer]) {
      stream.on('error', (error) => fail(failureOf(error, broken)));
      stream.on('end', check).on('finish', check);
      stream.on('close', () => {
        if (!isDone(stream)) fail(new TlsError(broken));
      });
    }
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    for (const { stream, broken } of [application, peer]) {
      if (stream.destroyed && !isDone(stream)) return fail(failureOf(stream.errored, broken));
    }
    copy(application.stream, peer.stream, (bytes) => {
      idle.touch();
      passage.sent(bytes);
    });
    const received = (bytes: number): void => {
      idle.touch();
      passage.received(bytes);
    };
    if (unread !== undefined && unread.length > 0) {
      received(unread.length);
      application.stream.write(unread);
    }
    copy(peer.stream, application.stream, received);
  });
}

/** Both of its directions ended in the ordinary way. */
function isDone(stream: Duplex): boolean {
  return stream.readableEnded && stream.writableFinished;
}

/** One direction. `from` is read no faster than `to` takes it. */
function copy(from: Duplex, to: Duplex, passed: (bytes: number) => void): void {
  if (from.readableEnded) {
    to.end();
    return;
  }
  from.on('data', (chunk: Uint8Array) => {
    passed(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  from.on('end', () => to.end());
  to.on('drain', () => from.resume());
  from.resume();
}
