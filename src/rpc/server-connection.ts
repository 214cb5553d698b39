import {
  type handleUnaryCall,
  type sendUnaryData,
  type ServerUnaryCall,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import type { VerifiedPeer } from '#handshake';
import type { TlsStream } from '#handshake/stream';
import type { Clock, Log, Result } from '#runtime';
import type { RpcLimits } from './limits.ts';
import {
  type RpcConnection,
  type RpcRefusal,
  type RpcService,
  statusError,
  type UnaryCall,
} from './service.ts';

export interface ServerConnectionParts<Peer extends VerifiedPeer> {
  readonly stream: TlsStream<Peer>;
  readonly remoteAddress: string;
  readonly services: (connection: RpcConnection<Peer>) => readonly RpcService[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: RpcLimits;
}

type Answer<Request, Response> = (request: Request, call: UnaryCall) => Promise<Result<Response, RpcRefusal>>;

/**
 * One client's connection, with a gRPC server of its own. grpc-js tells a handler nothing of a connection that it did
 * not accept itself; handlers that are made for one connection can't mistake it for another.
 */
export class ServerConnection<Peer extends VerifiedPeer> implements RpcConnection<Peer> {
  readonly peer: Peer | undefined;
  readonly remoteAddress: string;
  readonly #parts: ServerConnectionParts<Peer>;
  readonly #ended = new AbortController();
  readonly #drain: (graceMilliseconds: number) => void;

  /** The handshake of the stream is done. */
  constructor(parts: ServerConnectionParts<Peer>) {
    const { stream, clock, limits } = parts;
    this.#parts = parts;
    this.peer = stream.peer;
    this.remoteAddress = parts.remoteAddress;
    const server = new Server(serverOptions(limits));
    for (const { definition, handlers } of parts.services(this)) server.addService(definition, handlers);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#drain = (grace) => injector.drain(grace);
    const lifetime =
      this.peer === undefined ? limits.anonymousMilliseconds : this.peer.notAfter + 1 - clock.now();
    const cancel = clock.after(Math.max(lifetime, 0), () => this.end());
    stream.once('close', () => {
      cancel();
      this.#ended.abort(new Error('the connection is over'));
      server.forceShutdown();
    });
    injector.injectConnection(stream);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  end(): void {
    this.#parts.stream.destroy();
  }

  /** Takes no new calls (GOAWAY); ends when those under way have, at the latest after the grace. */
  drain(graceMilliseconds: number): void {
    this.#drain(graceMilliseconds);
    this.#parts.clock.after(graceMilliseconds, () => this.end());
  }

  unary<Request, Response>(answer: Answer<Request, Response>): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      void this.#finish(call, callback, answer);
    };
  }

  /** Never rejects. */
  async #finish<Request, Response>(
    call: ServerUnaryCall<Request, Response>,
    finish: sendUnaryData<Response>,
    answer: Answer<Request, Response>,
  ): Promise<void> {
    try {
      const result = await this.#answer(call, answer);
      if (result.ok) finish(null, result.value);
      else finish(statusError(result.error));
    } catch (error) {
      if (this.signal.aborted) return;
      this.#parts.log.error('a remote call failed', {
        method: call.getPath(),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      finish({ code: status.INTERNAL, details: 'internal error' });
    }
  }

  async #answer<Request, Response>(
    call: ServerUnaryCall<Request, Response>,
    answer: Answer<Request, Response>,
  ): Promise<Result<Response, RpcRefusal>> {
    const { clock, limits } = this.#parts;
    const over = new AbortController();
    call.once('cancelled', () => over.abort(new Error('the caller gave up')));
    const cancel = clock.after(limits.callMilliseconds, () =>
      over.abort(new Error('the call took too long')),
    );
    try {
      return await answer(call.request, { signal: AbortSignal.any([over.signal, this.signal]) });
    } finally {
      cancel();
    }
  }
}

function serverOptions(limits: RpcLimits): Record<string, number> {
  return {
    'grpc.enable_channelz': 0,
    'grpc.max_concurrent_streams': limits.streams,
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.responseBytes,
    'grpc-node.max_session_memory': limits.sessionMegabytes,
    'grpc.keepalive_time_ms': limits.keepaliveMilliseconds,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMilliseconds,
  };
}
