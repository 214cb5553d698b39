import { connect as open, type Socket } from 'node:net';
import { TlsError } from '#handshake';
import type { Clock } from '#runtime';
import { type Endpoint, formatEndpoint } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';

export interface ConnectOptions {
  readonly clock: Clock;
  readonly timeoutMilliseconds: number;
  readonly keepAliveMilliseconds: number;
  readonly signal: AbortSignal;
}

/**
 * A connected socket with an error listener, half-open capable, from which nothing is read yet. Throws TlsError `connect-refused`,
 * `connect-timeout`, `descriptors-exhausted` or `connect-failed` naming the address, or the signal's reason; then no socket is left.
 */
export function connect(endpoint: Endpoint, options: ConnectOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = open({
      ...endpoint,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: options.keepAliveMilliseconds,
    });
    // Stays for the socket's life, so that no error of it can end the process.
    socket.on('error', (error: NodeJS.ErrnoException) => fail(connectError(endpoint, error)));
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: Error): void => {
      done();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal.reason as Error);
    const cancel = options.clock.after(options.timeoutMilliseconds, () => {
      const detail = `${formatEndpoint(endpoint)} after ${options.timeoutMilliseconds} ms`;
      fail(new TlsError(SIDECAR_REASONS['connect-timeout'], detail));
    });
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => {
      done();
      resolve(socket);
    });
  });
}

function connectError(endpoint: Endpoint, error: NodeJS.ErrnoException): TlsError {
  const address = formatEndpoint(endpoint);
  if (error.code === 'ECONNREFUSED') return new TlsError(SIDECAR_REASONS['connect-refused'], address);
  if (error.code === 'ETIMEDOUT') return new TlsError(SIDECAR_REASONS['connect-timeout'], address);
  if (noDescriptorLeft(error)) return new TlsError(SIDECAR_REASONS['descriptors-exhausted'], address);
  return new TlsError(SIDECAR_REASONS['connect-failed'], `${address}: ${error.code ?? error.message}`);
}

/** Of the process, or of the whole system. */
export function noDescriptorLeft({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}
