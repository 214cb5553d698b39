import { connect, type Socket } from 'node:net';
import { ClientConnection, type ConnectionEvent, ServerConnection, type TlsError } from '#handshake';
import { Application } from './application.ts';
import { allowsTls12, clientConfig, NO_TLS12, requireTls13, serverConfig } from './configuration.ts';
import { checkHandshake, checkSession, Negotiated } from './expectations.ts';
import { CaseFailed, type Options, Unimplemented } from './flags.ts';
import type { Memory } from './memory.ts';
import type { Seen } from './verifier.ts';

/** One connection of a case: connects, shakes hands, and gives the application's data to and fro until the end. */
export class Exchange {
  readonly #resumes: boolean;
  readonly #memory: Memory;
  readonly #retry: Options;
  readonly #seen: Seen = {};
  readonly #negotiated = new Negotiated();
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #connection: ClientConnection | ServerConnection;
  readonly #application: Application;
  #options: Options;
  #socket!: Socket;
  #checked = false;
  #earlyData: 'refused' | 'refused unexpectedly' | undefined;

  /** `retry`: what holds instead of `options` once a client's early data was refused. */
  constructor(options: Options, retry: Options, resumes: boolean, memory: Memory) {
    this.#options = options;
    this.#retry = retry;
    this.#resumes = resumes;
    this.#memory = memory;
    memory.cache.newest = undefined;
    requireTls13(options);
    const observe = (event: ConnectionEvent): void => this.#observe(event);
    const current = (): Options => this.#options;
    const keyLog = (line: string): void => {
      const [label, , secret] = line.split(' ');
      this.#secrets.set(label!, new Uint8Array(Buffer.from(secret!, 'hex')));
    };
    this.#connection = options.has('server')
      ? new ServerConnection({ ...serverConfig(options, current, this.#seen, memory), keyLog }, observe)
      : new ClientConnection({ ...clientConfig(options, current, this.#seen, memory), keyLog }, observe);
    this.#application = new Application(this.#connection, this.#secrets);
  }

  async run(): Promise<void> {
    const host = this.#options.has('ipv6') ? '::1' : '127.0.0.1';
    this.#socket = connect({ host, port: this.#options.number('port')!, allowHalfOpen: true });
    this.#socket.setNoDelay(true);
    const shimId = Buffer.alloc(8);
    shimId.writeBigUInt64LE(BigInt(this.#options.text('shim-id') ?? '0'));
    this.#socket.write(shimId);
    try {
      // A client with a session has something to wait for before it says anything.
      await this.#step();
      await this.#receive();
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

  async #receive(): Promise<void> {
    for await (const bytes of this.#socket.iterator({ destroyOnReturn: false })) {
      for (const piece of this.#pieces(new Uint8Array(bytes as Buffer))) {
        this.#application.received();
        this.#connection.receive(piece);
        await this.#step();
        if (this.#connection.failure !== undefined || this.#connection.readClosed) return;
      }
    }
  }

  /** The runner's asynchronous cases are those in which BoringSSL's shim reads a byte at a time. */
  #pieces(bytes: Uint8Array): Uint8Array[] {
    if (!this.#options.has('async')) return [bytes];
    return Array.from(bytes, (byte) => Uint8Array.of(byte));
  }

  async #step(): Promise<void> {
    const connection = this.#connection;
    this.#flush();
    while (connection.pending !== undefined) {
      connection.resume(await connection.pending.run());
      this.#flush();
    }
    if (connection.failure !== undefined) return;
    this.#offerEarly();
    if (connection.mayWrite) this.#check();
    this.#application.exchange(this.#options);
    this.#flush();
  }

  /** A client may speak before it was answered. */
  #offerEarly(): void {
    const connection = this.#connection;
    if (!(connection instanceof ClientConnection) || connection.established) return;
    if (connection.earlyDataLimit === 0) return;
    if (this.#options.has('expect-no-offer-early-data')) throw new CaseFailed('early data was offered');
    const after = this.#options.number('early-write-after-message');
    if (after === undefined || this.#negotiated.received.has(after))
      this.#application.speakEarly(this.#options);
  }

  /** Once, as soon as this side may speak. */
  #check(): void {
    if (this.#checked) return;
    this.#checked = true;
    const { unimplemented } = this.#memory;
    if (unimplemented !== undefined) throw new Unimplemented(unimplemented);
    if (this.#earlyData === 'refused') this.#application.repeatEarly();
    if (this.#earlyData === 'refused unexpectedly') throw new CaseFailed('early data was refused');
    const problem = checkHandshake(this.#options, this.#resumes, this.#negotiated, this.#seen);
    if (problem !== undefined) throw new CaseFailed(problem);
    this.#application.begin(this.#options);
  }

  #finish(): void {
    const { failure, established } = this.#connection;
    if (failure !== undefined) {
      // BoringSSL's shim reads until a clean or an unclean end, unless the case asks for close_notify.
      const unclean = failure.code === 'truncated' && this.#checked;
      if (!unclean || this.#options.has('check-close-notify')) throw this.#failed(failure);
    } else {
      if (!established) throw new CaseFailed('the handshake did not complete');
      this.#connection.close();
      this.#flush();
    }
    if (this.#options.has('server') || this.#options.has('send-alert')) return;
    const problem = checkSession(this.#options, this.#memory);
    if (problem !== undefined) throw new CaseFailed(problem);
  }

  /** A peer that speaks less than TLS 1.3 is none that this engine can talk to. */
  #failed(failure: TlsError): Error {
    const tooOld = failure.code === 'no-common-version' || failure.detail === 'protocol_version';
    if (tooOld && allowsTls12(this.#options)) return new Unimplemented(NO_TLS12);
    return new CaseFailed(`reason: ${failure.code} (${failure.detail})`);
  }

  #flush(): void {
    for (const output of this.#application.takeOutput()) {
      if (!this.#socket.destroyed) this.#socket.write(output);
    }
  }

  #observe(event: ConnectionEvent): void {
    this.#negotiated.observe(event);
    if (event.type !== 'session' || event.use.earlyData !== 'rejected' || this.#options.has('server')) return;
    // From here on, what the verifier is asked too, it is the handshake without early data.
    this.#earlyData = this.#options.has('expect-reject-early-data') ? 'refused' : 'refused unexpectedly';
    this.#options = this.#retry;
  }
}
