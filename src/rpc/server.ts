import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  ignoreEvents,
  type Observer,
  type Refusal,
  type ServerConfig,
  TlsError,
  type VerifiedPeer,
} from '#handshake';
import { acceptTls } from '#handshake/stream';
import { type Clock, type Log, plainAddress, type Scope } from '#runtime';
import { HTTP2, RPC_LIMITS, type RpcLimits } from './limits.ts';
import { RPC_REASONS } from './reasons.ts';
import { ServerConnection } from './server-connection.ts';
import type { RpcConnection, RpcService } from './service.ts';

export interface RpcServerConfig<Peer extends VerifiedPeer> {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** Read for each connection; undefined while there is no certificate to show. ALPN is added here. */
  readonly tls: () => Omit<ServerConfig<Peer>, 'alpn'> | undefined;
  /** Called for each connection after its handshake. */
  readonly services: (connection: RpcConnection<Peer>) => readonly RpcService[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<RpcLimits>;
  /** Of handshakes, for telemetry. */
  readonly observer?: (remoteAddress: string) => Observer;
  /** For metrics. */
  readonly onEvent?: (event: RpcEvent) => void;
}

export type RpcEvent =
  | { readonly type: 'opened' | 'closed'; readonly remoteAddress: string }
  /** A connection that never came to a call. */
  | { readonly type: 'refused'; readonly remoteAddress: string; readonly refusal: Refusal };

/** Accepts connections for remote calls. Ends with its scope; `drain` first for an orderly end. */
export class RpcServer<Peer extends VerifiedPeer = VerifiedPeer> {
  readonly #config: RpcServerConfig<Peer>;
  readonly #limits: RpcLimits;
  readonly #listener: NetServer;
  readonly #sockets = new Map<Socket, string>();
  readonly #perAddress = new Map<string, number>();
  readonly #connections = new Set<ServerConnection<Peer>>();
  #handshakes = 0;

  private constructor(config: RpcServerConfig<Peer>) {
    this.#config = config;
    this.#limits = { ...RPC_LIMITS, ...config.limits };
    this.#listener = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Rejects with the system's error when the port can't be had. */
  static async listen<Peer extends VerifiedPeer>(
    scope: Scope,
    config: RpcServerConfig<Peer>,
  ): Promise<RpcServer<Peer>> {
    const server = new RpcServer(config);
    await new Promise<void>((resolve, reject) => {
      server.#listener.once('error', reject);
      server.#listener.listen({ host: config.host, port: config.port }, () => {
        server.#listener.off('error', reject);
        resolve();
      });
    });
    // Out of descriptors, above all: the listener goes on when there are some again.
    server.#listener.on('error', (error) => {
      config.log.error('connections cannot be accepted', { error: error.message });
    });
    scope.defer(() => server.#close());
    return server;
  }

  get port(): number {
    const address = this.#listener.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  /** Those whose handshake is done. */
  get connections(): ReadonlySet<RpcConnection<Peer>> {
    return this.#connections;
  }

  /** Accepts no more; calls under way have until the grace is over. Resolves when all connections have ended. */
  async drain(graceMilliseconds: number): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const connection of this.#connections) connection.drain(graceMilliseconds);
    const cancel = this.#config.clock.after(graceMilliseconds, () => this.#endAll());
    await ended;
    cancel();
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.#endAll();
    await closed;
  }

  #endAll(): void {
    for (const connection of this.#connections) connection.end();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #accept(socket: Socket): void {
    const remoteAddress = plainAddress(socket.remoteAddress);
    // The peer may reset before anything else listens; the streams above tell what matters.
    socket.on('error', () => undefined);
    const refusal = this.#admission(remoteAddress);
    const tls = this.#config.tls();
    if (refusal !== undefined || tls === undefined) {
      this.#refused(remoteAddress, refusal ?? { reason: RPC_REASONS['rpc-not-ready'], detail: '' });
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.set(socket, remoteAddress);
    this.#perAddress.set(remoteAddress, (this.#perAddress.get(remoteAddress) ?? 0) + 1);
    socket.once('close', () => this.#forget(socket, remoteAddress));
    void this.#open(socket, remoteAddress, tls);
  }

  #admission(remoteAddress: string): Refusal | undefined {
    const { connections, connectionsPerAddress, handshakes } = this.#limits;
    const ofAddress = this.#perAddress.get(remoteAddress) ?? 0;
    const reason = RPC_REASONS['rpc-too-many-connections'];
    if (this.#sockets.size >= connections) return { reason, detail: `${connections} in all` };
    if (ofAddress >= connectionsPerAddress) return { reason, detail: `${ofAddress} from ${remoteAddress}` };
    if (this.#handshakes >= handshakes) return { reason, detail: `${handshakes} handshakes under way` };
    return undefined;
  }

  async #open(socket: Socket, remoteAddress: string, tls: Omit<ServerConfig<Peer>, 'alpn'>): Promise<void> {
    const { clock, log, services, observer } = this.#config;
    this.#handshakes += 1;
    const stream = acceptTls(
      socket,
      { ...tls, alpn: [HTTP2] },
      {
        clock,
        handshakeTimeoutMilliseconds: this.#limits.handshakeTimeoutMilliseconds,
        observer: observer?.(remoteAddress) ?? ignoreEvents,
      },
    );
    try {
      await stream.handshake();
      const limits = this.#limits;
      const connection = new ServerConnection({ stream, remoteAddress, services, clock, log, limits });
      this.#connections.add(connection);
      this.#config.onEvent?.({ type: 'opened', remoteAddress });
      stream.once('close', () => {
        this.#connections.delete(connection);
        this.#config.onEvent?.({ type: 'closed', remoteAddress });
      });
    } catch (error) {
      stream.destroy();
      if (error instanceof TlsError) this.#refused(remoteAddress, error);
      else log.error('a connection for remote calls failed', { remoteAddress, error: String(error) });
    } finally {
      this.#handshakes -= 1;
    }
  }

  #refused(remoteAddress: string, { reason, detail }: Refusal): void {
    this.#config.log.debug('a connection for remote calls was refused', {
      remoteAddress,
      reason: reason.code,
      detail,
    });
    this.#config.onEvent?.({ type: 'refused', remoteAddress, refusal: { reason, detail } });
  }

  #forget(socket: Socket, remoteAddress: string): void {
    this.#sockets.delete(socket);
    const left = (this.#perAddress.get(remoteAddress) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(remoteAddress, left);
    else this.#perAddress.delete(remoteAddress);
  }
}
