import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../listen/endpoint.ts';
import { tcpServer } from './sockets.ts';

/** The network between two sidecars: passes bytes on, until told to break. */
export interface Relay extends Endpoint {
  /** `fin`: both sides see an end that nobody meant; `reset`: both sides see a reset. */
  cut(how: 'fin' | 'reset'): void;
  /** Bytes that passed, both ways together. */
  readonly bytes: () => number;
  close(): Promise<void>;
}

export async function cuttableRelay(
  to: Endpoint | undefined,
  { delayMilliseconds = 0 }: { readonly delayMilliseconds?: number } = {},
): Promise<Relay> {
  if (to === undefined) throw new Error('nowhere to relay to');
  const sockets = new Set<Socket>();
  let bytes = 0;
  const server = await tcpServer((near) => {
    near.pause();
    setTimeout(() => {
      const far = connect({ ...to, allowHalfOpen: true });
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('error', () => undefined).on('data', (chunk: Buffer) => (bytes += chunk.length));
      }
      near.pipe(far);
      far.pipe(near);
    }, delayMilliseconds);
  });
  return {
    host: server.host,
    port: server.port,
    bytes: () => bytes,
    cut(how) {
      for (const socket of sockets) {
        socket.unpipe();
        if (how === 'fin') socket.end();
        else socket.resetAndDestroy();
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await server.close();
    },
  };
}
