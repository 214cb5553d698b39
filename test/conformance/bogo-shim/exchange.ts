import { connect, type Socket } from 'node:net';
import { concat, EMPTY } from '#runtime';
import {
  ClientConnection,
  type ConnectionEvent,
  GROUPS,
  SCHEMES,
  ServerConnection,
  SUITES,
  type TlsError,
} from '#handshake';
import {
  allowsTls12,
  clientConfig,
  type Memory,
  requireTls13,
  type Seen,
  serverConfig,
  SHIM_REASONS,
} from './configuration.ts';
import { checkHandshake, type Negotiated } from './expectations.ts';
import { type Options, Unimplemented } from './flags.ts';

/** The case failed; the runner compares the text with what it expects. */
export class CaseFailed extends Error {}

/** One connection of a case: connects, shakes hands, echoes every byte inverted until the peer is done. */
export class Exchange {
  readonly #options: Options;
  readonly #resumes: boolean;
  readonly #seen: Seen = {};
  readonly #negotiated: Negotiated = {};
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #connection: ClientConnection | ServerConnection;
  #socket!: Socket;
  #begun = false;
  /** Sealed bytes that wait until something was read. */
  #held: Uint8Array | undefined;

  constructor(options: Options, resumes: boolean, memory: Memory) {
    this.#resumes = resumes;
    this.#options = options;
    requireTls13(options);
    const observe = (event: ConnectionEvent): void => this.#observe(event);
    const keyLog = (line: string): void => {
      const [label, , secret] = line.split(' ');
      this.#secrets.set(label!, new Uint8Array(Buffer.from(secret!, 'hex')));
    };
    this.#connection = options.has('server')
      ? new ServerConnection({ ...serverConfig(options, this.#seen, memory), keyLog }, observe)
      : new ClientConnection({ ...clientConfig(options, this.#seen, memory), keyLog }, observe);
  }

  async run(): Promise<void> {
    const host = this.#options.has('ipv6') ? '::1' : '127.0.0.1';
    this.#socket = connect({ host, port: this.#options.number('port')!, allowHalfOpen: true });
    this.#socket.setNoDelay(true);
    const shimId = Buffer.alloc(8);
    shimId.writeBigUInt64LE(BigInt(this.#options.text('shim-id') ?? '0'));
    this.#socket.write(shimId);
    this.#flush();
    try {
      for await (const bytes of this.#socket.iterator({ destroyOnReturn: false })) {
        this.#connection.receive(new Uint8Array(bytes as Buffer));
        await this.#step();
        if (this.#connection.failure !== undefined || this.#isDone()) break;
      }
    } catch (error) {
      // A reset is one of the runner's ways to end; anything else is a mistake here.
      if (!(error instanceof Error && 'syscall' in error)) throw error;
    }
    this.#connection.endOfInput();
    this.#finish();
  }

  /** Half-closes and drains, so that the runner reads our last alert before it sees the end. */
  static async close(exchange: Exchange): Promise<void> {
    const socket = exchange.#socket;
    if (socket === undefined || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
      socket.on('end', () => socket.destroy());
      socket.end();
      socket.resume();
    });
  }

  #isDone(): boolean {
    return this.#connection.readClosed;
  }

  async #step(): Promise<void> {
    const connection = this.#connection;
    this.#flush();
    while (connection.pending !== undefined) {
      connection.resume(await connection.pending.run());
      this.#flush();
    }
    if (connection.failure !== undefined) return;
    if (connection.established && !this.#begun) this.#begin();
    for (const plaintext of connection.takePlaintext()) this.#echo(plaintext);
    this.#flush();
  }

  #begin(): void {
    this.#begun = true;
    const options = this.#options;
    const problem = checkHandshake(options, this.#resumes, this.#connection, this.#negotiated, this.#seen);
    if (problem !== undefined) throw new CaseFailed(problem);
    const exported = options.number('export-keying-material') ?? 0;
    if (exported > 0) this.#connection.write(this.#export(exported));
    if (options.has('export-traffic-secrets')) this.#connection.write(this.#trafficSecrets());
    if (options.has('send-alert')) {
      this.#connection.abort(SHIM_REASONS['sent-on-demand']);
      return;
    }
    const text = new Uint8Array(Buffer.from(options.text('shim-initial-write') ?? 'hello', 'latin1'));
    if (options.has('read-with-unfinished-write')) {
      this.#flush();
      this.#connection.write(text);
      const sealed = this.#connection.takeOutput();
      this.#socket.write(sealed.subarray(0, 1));
      this.#held = sealed.subarray(1);
    } else if (options.has('shim-writes-first')) {
      for (let count = options.number('repeat-shim-initial-write') ?? 1; count > 0; count -= 1)
        this.#connection.write(text);
    }
    if (options.has('key-update-before-read')) this.#connection.updateKeys(false);
    if (options.has('shim-shuts-down')) this.#connection.close();
  }

  #echo(plaintext: Uint8Array): void {
    if (this.#options.has('shim-shuts-down')) {
      if (this.#options.has('check-close-notify')) throw new CaseFailed('application-data-on-shutdown');
      return;
    }
    if (this.#held !== undefined) {
      this.#socket.write(this.#held);
      this.#held = undefined;
    }
    if (this.#options.has('key-update')) this.#connection.updateKeys(false);
    this.#connection.write(plaintext.map((byte) => byte ^ 0xff));
    if (this.#options.has('key-update-before-read')) this.#connection.updateKeys(false);
  }

  #export(length: number): Uint8Array {
    const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'latin1'));
    const label = this.#options.text('export-label') ?? '';
    return this.#connection.exportKeyingMaterial(label, length, bytes(this.#options.text('export-context')));
  }

  #trafficSecrets(): Uint8Array {
    const [read, write] = ['SERVER_TRAFFIC_SECRET_0', 'CLIENT_TRAFFIC_SECRET_0'].map(
      (label) => this.#secrets.get(label) ?? EMPTY,
    );
    const both = this.#options.has('server') ? [write!, read!] : [read!, write!];
    return concat(Uint8Array.of(read!.length & 0xff, read!.length >> 8), ...both);
  }

  #finish(): void {
    const { failure, established } = this.#connection;
    if (failure !== undefined) {
      // BoringSSL's shim reads until a clean or an unclean end, unless the case asks for close_notify.
      const unclean = failure.code === 'truncated' && this.#begun;
      if (unclean && !this.#options.has('check-close-notify')) return;
      throw this.#failed(failure);
    }
    if (!established) throw new CaseFailed('the handshake did not complete');
    this.#connection.close();
    this.#flush();
  }

  /** A peer that speaks less than TLS 1.3 is none that this engine can talk to. */
  #failed(failure: TlsError): Error {
    const tooOld = failure.code === 'no-common-version' || failure.detail === 'protocol_version';
    if (this.#seen.unimplemented !== undefined) return new Unimplemented(this.#seen.unimplemented);
    if (tooOld && allowsTls12(this.#options)) return new Unimplemented('TLS 1.2 is not spoken');
    return new CaseFailed(`reason: ${failure.code} (${failure.detail})`);
  }

  #flush(): void {
    if (this.#held !== undefined) return;
    const output = this.#connection.takeOutput();
    if (output.length > 0 && !this.#socket.destroyed) this.#socket.write(output);
  }

  #observe(event: ConnectionEvent): void {
    const negotiated = this.#negotiated;
    if (event.type === 'client-hello') {
      negotiated.serverName = event.serverName;
      negotiated.offeredAlpn = event.alpn;
    } else if (event.type === 'server-hello') {
      negotiated.suite = SUITES[event.suite].id;
      negotiated.group = GROUPS[event.group].id;
      negotiated.helloRetry = event.helloRetry;
    } else if (event.type === 'peer-verified' && event.scheme !== undefined) {
      negotiated.scheme = SCHEMES[event.scheme].id;
    }
  }
}
