import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../listen/endpoint.ts';

const HOST = '127.0.0.1';

/** A TCP server on a free port, of loopback if no other address is given. Each accepted socket is half-open capable and goes to `serve`. */
export async function tcpServer(
  serve: (socket: Socket) => void,
  host = HOST,
): Promise<Endpoint & { readonly server: Server; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    if (server.listening) await once(server, 'close');
  };
  return { host, port: address.port, server, close };
}

/** A client socket, connected; or reset by then, which `readAll` tells. Throws if nobody listens. */
export async function tcpClient(endpoint: Pick<Endpoint, 'host' | 'port'>): Promise<Socket> {
  const socket = connect({ host: endpoint.host, port: endpoint.port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve();
      else reject(error);
    });
  });
  return socket;
}

/** Two ends of one TCP connection: what a sidecar accepted, and who connected to it. Both can be half-open. */
export async function socketPair(): Promise<{ readonly near: Socket; readonly far: Socket; close(): void }> {
  const accepted = Promise.withResolvers<Socket>();
  const listener = await tcpServer((socket) => accepted.resolve(socket));
  const far = await tcpClient(listener);
  const near = await accepted.promise;
  near.pause();
  listener.server.close();
  return {
    near,
    far,
    close() {
      near.destroy();
      far.destroy();
    },
  };
}

export type Ending = 'end' | 'reset' | 'close';

/** Reads until the socket ends: what came, and how it ended. */
export async function readAll(socket: Socket): Promise<{ readonly bytes: Buffer; readonly ending: Ending }> {
  const chunks: Buffer[] = [];
  const ending = await new Promise<Ending>((resolve) => {
    const { errored } = socket as { errored: NodeJS.ErrnoException | null };
    if (socket.destroyed) resolve(errored?.code === 'ECONNRESET' ? 'reset' : 'close');
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNRESET' ? 'reset' : 'close'),
    );
    socket.once('close', () => resolve('close'));
  });
  return { bytes: Buffer.concat(chunks), ending };
}

/** Resolves with the first `length` bytes. */
export function readExactly(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const done = (): void => {
      socket.off('data', take).off('close', gone);
    };
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < length) return;
      done();
      resolve(bytes);
    };
    const gone = (): void => {
      done();
      reject(new Error(`closed after ${bytes.length} of ${length} bytes`));
    };
    if (socket.destroyed) return gone();
    socket.on('data', take).on('close', gone);
  });
}

/** Waits until `holds`, looking every few milliseconds; throws after five seconds. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
