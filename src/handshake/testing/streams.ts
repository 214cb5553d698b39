import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { FakeClock } from '#runtime/testing';
import type { ClientConfig, ServerConfig } from '../config.ts';
import { ignoreEvents } from '../events.ts';
import type { TlsError } from '../reason.ts';
import { acceptTls, connectTls, type TlsStream } from '../stream/index.ts';
import { credentialOf, FakeVerifier, identity, type Timing } from './credentials.ts';
import { clientConfig, serverConfig } from './pair.ts';

export const HANDSHAKE_TIMEOUT_MILLISECONDS = 5000;

/** Two ends of one connection below TLS. */
export interface Transports<Transport extends Duplex = Duplex> {
  readonly client: Transport;
  readonly server: Transport;
}

export function memoryTransports(): Transports {
  const [client, server] = duplexPair({ allowHalfOpen: true });
  return { client, server };
}

/** A listener on loopback that gives out connected pairs of sockets. */
export class Loopback implements Disposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Node's own default is allowHalfOpen false, for both ends. */
  static async open(allowHalfOpen = true): Promise<Loopback> {
    const server = createServer({ allowHalfOpen });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Loopback(server);
  }

  async pair(allowHalfOpen = true): Promise<Transports<Socket>> {
    const { port } = this.#server.address() as { port: number };
    const accepted = once(this.#server, 'connection');
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen });
    const [[server]] = (await Promise.all([accepted, once(client, 'connect')])) as [[Socket], unknown];
    return { client, server };
  }

  /** Listens no more; the pairs that it gave out live on. */
  [Symbol.dispose](): void {
    this.#server.close();
  }
}

export interface StreamPair {
  readonly client: TlsStream;
  readonly server: TlsStream;
  readonly clock: FakeClock;
}

export interface StreamPairOptions {
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
  readonly timing?: Timing;
  readonly clock?: FakeClock;
}

/** TLS on both ends of `transports`; the handshake has begun. */
export function startStreams(transports: Transports, options: StreamPairOptions = {}): StreamPair {
  const { timing = 'sync', clock = new FakeClock() } = options;
  const keys = { client: identity('client', 'ed25519'), server: identity('server', 'ed25519') };
  const settings = {
    clock,
    handshakeTimeoutMilliseconds: HANDSHAKE_TIMEOUT_MILLISECONDS,
    observer: ignoreEvents,
  };
  const client = clientConfig({
    credential: credentialOf(keys.client, timing),
    verifier: new FakeVerifier([keys.server], timing),
    ...options.client,
  });
  const verifier = new FakeVerifier([keys.client], timing);
  const server = serverConfig({
    credential: credentialOf(keys.server, timing),
    clientAuthentication: { mode: 'request', required: true, verifier },
    ...options.server,
  });
  return {
    server: acceptTls(transports.server, server, settings),
    client: connectTls(transports.client, client, settings),
    clock,
  };
}

export async function connectStreams(
  transports: Transports,
  options?: StreamPairOptions,
): Promise<StreamPair> {
  const pair = startStreams(transports, options);
  await Promise.all([pair.client.handshake(), pair.server.handshake()]);
  return pair;
}

/** Everything that a stream gives until its end; rejects with its error. */
export async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The code of the error that a stream ends with, or 'closed' if it ends without one. */
export async function ending(stream: TlsStream): Promise<string> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  return (stream.errored as TlsError | null)?.code ?? 'closed';
}

/** Lets everything that needs no time happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
