import { isIPv4, isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type ClientConfig, ignoreEvents, type Observer, TlsError } from '#handshake';
import { connectTls } from '#handshake/stream';
import { type Clock, err, ok, type Result } from '#runtime';
import { EngineCredentials } from './channel-credentials.ts';
import { failureOf, type RpcFailure } from './failure.ts';
import { HTTP2, RPC_LIMITS } from './limits.ts';

export interface RpcTarget {
  /** A name or an address. The addresses of a name are tried one by one. */
  readonly host: string;
  readonly port: number;
}

export interface RpcChannelConfig {
  readonly target: RpcTarget;
  /** Read for each connection. Its verifier says whom the server must prove to be. ALPN is added here. */
  readonly tls: () => Omit<ClientConfig, 'alpn'>;
  readonly clock: Clock;
  readonly observer?: () => Observer;
}

/** One method of ISSUANCE or DISCOVERY. */
export interface RpcMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export interface CallOptions {
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
}

/**
 * A connection for calls, opened when the first needs it and again after it broke. It shows the certificate that was
 * current when it was opened, so whoever gets a new certificate opens a new channel. `close` ends it.
 */
export class RpcChannel {
  readonly #config: RpcChannelConfig;
  readonly #client: Client;
  readonly #open = new Set<Duplex>();
  #failure: TlsError | undefined;

  constructor(config: RpcChannelConfig) {
    this.#config = config;
    const credentials = new EngineCredentials((socket) => this.#secure(socket));
    this.#client = new Client(targetText(config.target), credentials, OPTIONS);
  }

  /** One request, one answer: `channel.unary(ISSUANCE.Renew, { ... }, options)`. Never rejects. */
  unary<Request, Response>(
    { path, requestSerialize, responseDeserialize }: RpcMethod<Request, Response>,
    request: Request,
    { timeoutMilliseconds, signal }: CallOptions,
  ): Promise<Result<Response, RpcFailure>> {
    return new Promise((resolve) => {
      const answered = (error: ServiceError | null, response?: Response): void => {
        signal.removeEventListener('abort', cancel);
        if (error !== null) resolve(err(this.failure(error)));
        else resolve(ok(response as Response));
      };
      // gRPC's deadlines are dates by the system's clock.
      const options = { deadline: Date.now() + timeoutMilliseconds };
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        answered,
      );
      const cancel = (): void => call.cancel();
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Messages each way, without a deadline. An 'error' of the stream is a ServiceError: `failure` says what it means. */
  bidirectional<Request, Response>({
    path,
    requestSerialize,
    responseDeserialize,
  }: RpcMethod<Request, Response>): ClientDuplexStream<Request, Response> {
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
  }

  /** What a failed call of this channel means: the server's reason, or why there is no connection. */
  failure(error: ServiceError): RpcFailure {
    return failureOf(error, this.#failure);
  }

  /** Calls under way fail. */
  close(): void {
    this.#client.close();
    for (const stream of this.#open) stream.destroy();
  }

  async #secure(socket: Socket): Promise<Duplex> {
    const { tls, clock, observer } = this.#config;
    const options = {
      clock,
      handshakeTimeoutMilliseconds: RPC_LIMITS.handshakeTimeoutMilliseconds,
      observer: observer?.() ?? ignoreEvents,
    };
    const stream = connectTls(socket, { ...tls(), alpn: [HTTP2] }, options);
    this.#open.add(stream);
    stream.once('close', () => this.#open.delete(stream));
    // Stays: in TLS 1.3 a server judges our certificate after our side of the handshake is over.
    stream.on('error', (error) => {
      if (error instanceof TlsError) this.#failure = error;
    });
    await stream.handshake();
    this.#failure = undefined;
    return stream;
  }
}

/** How grpc-js is kept to this one connection: no proxy of the environment, no configuration from DNS. */
const OPTIONS = {
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  // Who calls decides when to try again.
  'grpc.enable_retries': 0,
  'grpc.max_receive_message_length': RPC_LIMITS.responseBytes,
  'grpc.max_send_message_length': RPC_LIMITS.messageBytes,
  'grpc.keepalive_time_ms': RPC_LIMITS.keepaliveMilliseconds,
  'grpc.keepalive_timeout_ms': RPC_LIMITS.keepaliveTimeoutMilliseconds,
  'grpc-node.max_session_memory': RPC_LIMITS.sessionMegabytes,
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 10_000,
};

function targetText({ host, port }: RpcTarget): string {
  if (isIPv4(host)) return `ipv4:${host}:${port}`;
  return isIPv6(host) ? `ipv6:[${host}]:${port}` : `dns:${host}:${port}`;
}
