import type { Socket } from 'node:net';
import { TlsError } from '#handshake';
import type { CheckedConfig } from '../config.ts';
import { connect } from '../forward/connect.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Asking } from './probe.ts';

/** What every kind of probe gets besides its target. */
export interface ProbeContext {
  /** The pod's address that the kubelet called: the application is asked there, never on loopback. */
  readonly host: string;
  readonly timeoutMilliseconds: number;
  readonly asking: Asking;
  readonly config: CheckedConfig;
  readonly isSidecarPort: (port: number) => boolean;
  /** Aborted with a TlsError when the time is over or the kubelet has gone. */
  readonly signal: AbortSignal;
}

/** Connects to a port of the application. `close` also happens when the signal aborts. Throws TlsError. */
export async function dialApplication(
  port: number,
  { config, host, timeoutMilliseconds, signal }: ProbeContext,
): Promise<{ readonly socket: Socket; readonly close: () => void }> {
  const { clock, limits } = config;
  const { keepAliveMilliseconds } = limits;
  const socket = await connect(
    { host, port },
    { clock, timeoutMilliseconds, keepAliveMilliseconds, signal },
  ).catch((error: unknown) => {
    if (signal.aborted || !(error instanceof TlsError)) throw error;
    throw new TlsError(SIDECAR_REASONS['application-unreachable'], `${error.code} ${error.detail}`);
  });
  const close = (): void => {
    signal.removeEventListener('abort', close);
    socket.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  return { socket, close };
}
