import net from 'node:net';
import { onTestFinished } from 'vitest';
import type {
  ClientConfig,
  ConnectionEvent,
  GroupName,
  Observer,
  SchemeName,
  ServerConfig,
  SuiteName,
} from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { acceptTls, connectTls, type TlsStream } from '#handshake/stream';
import { type SpiffePeer, spiffeVerifier } from '#identity';
import type { TestAuthority } from '#identity/testing';
import { systemClock, Watch } from '#runtime';

/** What one of our ends saw of a connection, in its own words. */
export class Witness {
  readonly events: ConnectionEvent[] = [];
  readonly observe: Observer = (event) => void this.events.push(event);

  get negotiated(): { suite: SuiteName; group: GroupName; helloRetry: boolean } | undefined {
    const hello = this.#last('server-hello');
    return hello && { suite: hello.suite, group: hello.group, helloRetry: hello.helloRetry };
  }

  get alpn(): string | undefined {
    return this.#last('alpn')?.protocol;
  }

  get serverName(): string | undefined {
    return this.#last('client-hello')?.serverName;
  }

  get peer(): { identity: string; scheme: SchemeName | undefined } | undefined {
    const verified = this.#last('peer-verified');
    return verified && { identity: verified.peer.identity, scheme: verified.scheme };
  }

  get failure(): { reason: string; detail: string } | undefined {
    const failed = this.#last('failed');
    return failed && { reason: failed.error.code, detail: failed.error.detail };
  }

  get closedCleanly(): boolean {
    return this.#last('closed') !== undefined;
  }

  get session(): Extract<ConnectionEvent, { type: 'session' }> | undefined {
    return this.#last('session');
  }

  keyUpdates(direction: 'sent' | 'received'): number {
    return this.events.filter((event) => event.type === 'key-update' && event.direction === direction).length;
  }

  alert(direction: 'sent' | 'received'): string | undefined {
    const alerts = this.events.filter((event) => event.type === 'alert');
    return alerts.find((event) => event.direction === direction)?.alert;
  }

  #last<Type extends ConnectionEvent['type']>(
    type: Type,
  ): Extract<ConnectionEvent, { type: Type }> | undefined {
    return this.events.findLast(
      (event): event is Extract<ConnectionEvent, { type: Type }> => event.type === type,
    );
  }
}

export interface Conversation {
  readonly stream: TlsStream<SpiffePeer>;
  readonly witness: Witness;
  /** Settles when the stream is gone: its error, or undefined after an ordinary end. */
  readonly over: Promise<Error | undefined>;
}

export interface EngineServer {
  readonly port: number;
  /** The next connection, in order of arrival. */
  next(): Promise<Conversation>;
}

/** Verifies the other end under the authority's bundle, as the mesh does. */
export function trust(authority: TestAuthority): ReturnType<typeof spiffeVerifier> {
  return spiffeVerifier({ bundle: new Watch(authority.bundle), clock: systemClock });
}

export type ServerOptions = Pick<ServerConfig<SpiffePeer>, 'credential'> & Partial<ServerConfig<SpiffePeer>>;

/** Our server on a loopback port until the end of the test. `serve` gets each stream; by default it echoes. */
export async function startServer(
  options: ServerOptions,
  serve: (stream: TlsStream<SpiffePeer>) => void = echo,
): Promise<EngineServer> {
  const waiting: ((conversation: Conversation) => void)[] = [];
  const arrived: Conversation[] = [];
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const witness = new Witness();
    const config = {
      crypto: nodeProvider,
      alpn: [],
      clientAuthentication: { mode: 'none' as const },
      ...options,
    };
    const conversation = follow(acceptTls(socket, config, streamOptions(witness)), witness);
    serve(conversation.stream);
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(conversation);
    else taker(conversation);
  });
  const port = await listen(server);
  const next = (): Promise<Conversation> => {
    const first = arrived.shift();
    return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
  };
  return { port, next };
}

export type ClientOptions = Pick<ClientConfig<SpiffePeer>, 'verifier'> & Partial<ClientConfig<SpiffePeer>>;

/** Our client, connected to a loopback port. */
export function dial(port: number, options: ClientOptions, earlyData?: Uint8Array): Conversation {
  const witness = new Witness();
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const config = { crypto: nodeProvider, alpn: [], ...options };
  const conversation = follow(
    connectTls(socket, config, { ...streamOptions(witness), ...(earlyData && { earlyData }) }),
    witness,
  );
  onTestFinished(() => void conversation.stream.destroy());
  return conversation;
}

/** Binds to a free loopback port; closed, with all its connections, at the end of the test. */
export async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as net.AddressInfo).port;
}

const HANDSHAKE_TIMEOUT_MILLISECONDS = 5_000;

function streamOptions(witness: Witness): Parameters<typeof connectTls>[2] {
  return {
    clock: systemClock,
    handshakeTimeoutMilliseconds: HANDSHAKE_TIMEOUT_MILLISECONDS,
    observer: witness.observe,
  };
}

function follow(stream: TlsStream<SpiffePeer>, witness: Witness): Conversation {
  const over = new Promise<Error | undefined>((resolve) => {
    let failure: Error | undefined;
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => resolve(failure));
  });
  return { stream, witness, over };
}

function echo(stream: TlsStream<SpiffePeer>): void {
  stream.pipe(stream);
}
