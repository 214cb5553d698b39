import { createServer, type Server, type Socket } from 'node:net';
import type { Scope } from '#runtime';
import { bind } from './bind.ts';
import type { Endpoint } from './endpoint.ts';

export interface ListenerOptions {
  /** What the listener is for, in error texts: `inbound of orders`. */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly keepAliveMilliseconds: number;
  /** Takes each accepted socket: paused, half-open capable, with an error listener. */
  readonly onSocket: (socket: Socket) => void;
  /** The system could not hand over a connection (for instance EMFILE); the listener goes on. */
  readonly onAcceptError: (error: NodeJS.ErrnoException) => void;
}

/** A bound port. Accepted sockets belong to who took them; the listener ends with its scope. */
export class Listener {
  readonly name: string;
  readonly bound: Endpoint;
  readonly #server: Server;

  private constructor(name: string, server: Server, bound: Endpoint) {
    this.name = name;
    this.#server = server;
    this.bound = bound;
  }

  /** Binds. Throws BindError. */
  static async open(scope: Scope, options: ListenerOptions): Promise<Listener> {
    const server = createServer({
      // The other direction of a half-closed connection goes on.
      allowHalfOpen: true,
      // What the peer sends waits in the system's bounded buffer until we know what to do with it.
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: options.keepAliveMilliseconds,
    });
    server.on('connection', (socket) => {
      // Before the first byte: an error that nobody hears would end the process. What it means is decided by whoever
      // uses the socket at that moment.
      socket.on('error', () => undefined);
      // The last ones of a queue whose listener is about to stop.
      if (scope.signal.aborted) socket.resetAndDestroy();
      else options.onSocket(socket);
    });
    const bound = await bind(server, options.name, options.endpoint);
    server.on('error', options.onAcceptError);
    const listener = new Listener(options.name, server, bound);
    scope.defer(() => listener.stop());
    return listener;
  }

  get accepting(): boolean {
    return this.#server.listening;
  }

  /** From here on the system refuses new connections. Live ones are not touched. */
  stop(): void {
    if (this.#server.listening) this.#server.close();
  }
}
