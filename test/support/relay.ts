import net from 'node:net';
import type { Endpoint } from '#sidecar';

/** What may change bytes on their way; what it returns is passed on, one write after the other. */
export type Tamper = (chunk: Buffer) => readonly Buffer[];

/** Changes whole TLS records (RFC 8446 5.1), header included; `index` counts those of the connection from 0. */
export function recordwise(change: (record: Buffer, index: number) => readonly Buffer[]): () => Tamper {
  return () => {
    let waiting = Buffer.alloc(0);
    let index = 0;
    return (chunk) => {
      waiting = Buffer.concat([waiting, chunk]);
      const out: Buffer[] = [];
      while (waiting.length >= HEADER && waiting.length >= HEADER + waiting.readUInt16BE(3)) {
        const end = HEADER + waiting.readUInt16BE(3);
        out.push(...change(waiting.subarray(0, end), index));
        waiting = waiting.subarray(end);
        index += 1;
      }
      return out;
    };
  };
}

const HEADER = 5;

export interface RelayOptions {
  /** Makes the tampering of one connection: from who connected, and from whom it reaches. */
  readonly forth?: () => Tamper;
  readonly back?: () => Tamper;
}

/** All bytes of one connection, as they came to the relay. */
export interface Passage {
  forth: Buffer;
  back: Buffer;
}

/** The network between two sides, which sees all that passes and may change it. */
export class Relay implements Endpoint {
  readonly host = '127.0.0.1';
  readonly port: number;
  newest: Passage = { forth: Buffer.alloc(0), back: Buffer.alloc(0) };
  readonly #server: net.Server;
  readonly #sockets: Set<net.Socket>;

  private constructor(server: net.Server, sockets: Set<net.Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as net.AddressInfo).port;
  }

  static async start(to: Endpoint, options: RelayOptions = {}): Promise<Relay> {
    const sockets = new Set<net.Socket>();
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = net.connect({ ...to, allowHalfOpen: true, noDelay: true });
      const passage: Passage = { forth: Buffer.alloc(0), back: Buffer.alloc(0) };
      relay.newest = passage;
      join(near, far, options.forth?.() ?? honest, (chunk) => {
        passage.forth = Buffer.concat([passage.forth, chunk]);
      });
      join(far, near, options.back?.() ?? honest, (chunk) => {
        passage.back = Buffer.concat([passage.back, chunk]);
      });
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = new Relay(server, sockets);
    return relay;
  }

  /** Ends what it sends to both sides, in the middle of whatever they say: FIN, and no close_notify. */
  cut(): void {
    for (const socket of this.#sockets) socket.end();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const honest: Tamper = (chunk) => [chunk];

function join(from: net.Socket, to: net.Socket, tamper: Tamper, saw: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    saw(chunk);
    for (const part of tamper(chunk)) {
      if (to.writable && !to.write(part)) from.pause();
    }
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => undefined);
  // A reset on one side is one on the other.
  from.on('close', (broken) => (broken ? to.resetAndDestroy() : undefined));
}
