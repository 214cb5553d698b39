import { connect } from 'node:net';
import type { Clock } from '#runtime';

/** True if something accepts TCP connections on 127.0.0.1 at `port`. Never rejects. */
export function portAnswers(port: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (answers: boolean): void => {
      cancel();
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(answers);
    };
    const abort = (): void => settle(false);
    const cancel = clock.after(LONGEST_CONNECT_MILLISECONDS, abort);
    socket.once('connect', () => settle(true));
    socket.once('error', abort);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}

const LONGEST_CONNECT_MILLISECONDS = 1_000;
