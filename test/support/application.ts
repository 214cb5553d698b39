import { createServer as createHttpServer, type RequestListener } from 'node:http';
import net from 'node:net';
import type { Endpoint } from '#sidecar';

/** A service of the user's, in this process: knows nothing of sidecars. */
export class Application implements Endpoint {
  readonly host = '127.0.0.1';
  readonly port: number;
  /** Connections that ever reached it, and the bytes of those that are over. */
  connections = 0;
  receivedBytes = 0;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    server.on('connection', (socket: net.Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.receivedBytes += socket.bytesRead;
        this.#sockets.delete(socket);
      });
    });
  }

  static http(listener: RequestListener): Promise<Application> {
    return Application.#listen(createHttpServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, listener));
  }

  /** Each socket may be half-open. */
  static tcp(serve: (socket: net.Socket) => void): Promise<Application> {
    return Application.#listen(net.createServer({ allowHalfOpen: true, noDelay: true }, serve));
  }

  /** For what takes over the server itself, as WebSocket servers do. */
  get server(): net.Server {
    return this.#server;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  static async #listen(server: net.Server): Promise<Application> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve));
    return new Application(server);
  }
}

/** A connected socket that may be half-open. What goes wrong later shows in `error` or `close`. */
export async function connectTo(endpoint: Endpoint): Promise<net.Socket> {
  const socket = net.connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return socket;
}
