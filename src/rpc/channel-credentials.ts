import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';

/** Turns a connected socket into a secured one; rejects with what went wrong. */
export type Secure = (socket: Socket) => Promise<Duplex>;

interface Connector {
  connect(socket: Socket): Promise<{ socket: Socket; secure: boolean }>;
  waitForReady(): Promise<void>;
  getCallCredentials(): CallCredentials;
  destroy(): void;
}

/**
 * Credentials by which grpc-js lets our engine secure its connections. The underscored methods are no public interface
 * of grpc-js: this file is the only place that has them, and package.json pins the version that they were read from.
 */
export class EngineCredentials extends ChannelCredentials {
  readonly #secure: Secure;

  constructor(secure: Secure) {
    super();
    this.#secure = secure;
  }

  override _isSecure(): boolean {
    return true;
  }

  /** Never shared between channels: whose certificate a connection shows would be left to chance. */
  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(_target: unknown, _options: unknown, calls?: CallCredentials): Connector {
    return {
      // grpc-js hands the result to http2.connect, which takes any Duplex.
      connect: async (socket) => ({ socket: (await this.#secure(socket)) as Socket, secure: true }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => calls ?? CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}
