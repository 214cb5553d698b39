import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from '#runtime';
import type { ClientConfig, ServerConfig } from '../config.ts';
import { ClientConnection, ServerConnection } from '../connection.ts';
import type { Observer } from '../events.ts';
import type { Resumption } from '../pending.ts';
import type { SessionUse } from '../port.ts';
import { type Reason, TlsError } from '../reason.ts';
import { REASONS } from '../reasons.ts';
import { giveBackBuffer } from '../record/output-buffers.ts';
import type { VerifiedPeer } from '../verify/peer-verifier.ts';

export interface StreamOptions {
  readonly clock: Clock;
  /** From now until `established`; then the stream fails with `handshake-timeout`. */
  readonly handshakeTimeoutMilliseconds: number;
  readonly observer: Observer;
  /**
   * Client: sent as early data if the configuration asks for it and a session has room for the whole (RFC 8446 4.2.10).
   * Unless `session.earlyData` is then `accepted`, the server has not got it, and the owner writes it again or not.
   * It can be replayed: only what may be executed twice.
   */
  readonly earlyData?: Uint8Array;
}

type Callback = (error?: Error | null) => void;

/** How long a peer may take to read the alert that ends a connection before the transport is cut. */
const LINGER_MILLISECONDS = 1000;

/**
 * TLS over any Duplex, as a Duplex of application data. Reads pause the transport when nobody takes the data, writes
 * wait for it; `end` sends close_notify and leaves the other direction open. Every failure is a TlsError: FIN without
 * close_notify is `truncated`. Early data that a server takes comes as the event `earlyData`, a Buffer each, never among
 * the rest: it may be a copy that an attacker sent (RFC 8446 8).
 */
export class TlsStream<Peer extends VerifiedPeer = VerifiedPeer> extends Duplex {
  readonly #transport: Duplex;
  readonly #connection: ClientConnection<Peer> | ServerConnection<Peer>;
  readonly #clock: Clock;
  readonly #cancelTimeout: () => void;
  readonly #handshake = Promise.withResolvers<void>();
  #earlyData: Uint8Array | undefined;
  #settled = false;
  #inputDone = false;
  #wantsData = false;
  #running = false;
  /** What waits for the handshake, the first write or the end, and whom to tell if it never comes. */
  #waiting: { readonly task: () => void; readonly callback: Callback }[] = [];
  /** Whose write is under way; a Duplex has one at a time. */
  #onWritten: Callback | undefined;

  constructor(
    transport: Duplex,
    connection: ClientConnection<Peer> | ServerConnection<Peer>,
    options: StreamOptions,
  ) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#transport = transport;
    this.#connection = connection;
    this.#clock = options.clock;
    this.#earlyData = options.earlyData;
    // Nobody has to wait for it; the stream's 'error' tells the same.
    this.#handshake.promise.catch(() => undefined);
    // An 'error' that nobody listens to ends the process, and a peer can cause one at any moment. The owner learns of
    // it from `handshake`, its own listener or `errored`, whichever it uses at that moment.
    this.on('error', () => undefined);
    this.#cancelTimeout = options.clock.after(options.handshakeTimeoutMilliseconds, () => {
      this.refuse(REASONS['handshake-timeout'], `after ${options.handshakeTimeoutMilliseconds} ms`);
    });
    // A peer that has ended its direction may still read: Node must not end ours for that, as it does by default.
    transport.allowHalfOpen = true;
    transport.on('error', (error: NodeJS.ErrnoException) => this.#transportFailed(error));
    transport.on('data', (bytes: Buffer) => this.#receive(bytes));
    transport.on('end', () => this.#inputEnded());
    transport.on('close', () => this.#transportClosed());
    this.#sendEarlyData();
    this.#flush();
    this.#runPending();
    this.#updateFlow();
  }

  get established(): boolean {
    return this.#connection.established;
  }

  /** Who the peer proved to be; undefined until `established`, and for a client let in without a certificate. */
  get peer(): Peer | undefined {
    return this.#connection.peer;
  }

  get alpn(): string | undefined {
    return this.#connection.alpn;
  }

  /** How the two sides knew each other; undefined until `established`. */
  get session(): SessionUse | undefined {
    return this.#connection.session;
  }

  /**
   * Server: sends session tickets, and returns how many. With `automaticTickets: 0` the owner does so once it has decided
   * that this client may speak here.
   */
  issueTickets(count: number): number {
    if (!(this.#connection instanceof ServerConnection) || this.destroyed) return 0;
    const sent = this.#connection.issueTickets(count);
    this.#afterStep();
    return sent;
  }

  /** Resolves once application data may flow; rejects with the TlsError that ended the handshake. */
  handshake(): Promise<void> {
    return this.#handshake.promise;
  }

  /** Ends the connection for the caller's reason: the peer gets its alert, this stream fails with it. */
  refuse(reason: Reason, detail = ''): void {
    this.#connection.abort(reason, detail);
    this.#afterStep();
  }

  /** Bytes that were read from the transport before this stream took it over. */
  begin(head: Uint8Array): void {
    if (head.length > 0) this.#receive(head);
  }

  override _read(): void {
    this.#wantsData = true;
    this.#updateFlow();
  }

  override _write(chunk: Buffer, _encoding: string, callback: Callback): void {
    this.#whenWritable(callback, () => {
      this.#connection.write(chunk);
      this.#flush(callback);
    });
  }

  /** What was written while a write was under way: many small ones become few records and one write. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#whenWritable(callback, () => {
      this.#connection.write(chunks.map(({ chunk }) => chunk));
      this.#flush(callback);
    });
  }

  override _final(callback: Callback): void {
    this.#whenEstablished(callback, () => {
      this.#connection.close();
      this.#flush();
      this.#transport.end((error?: NodeJS.ErrnoException | null) => {
        if (error) this.#connection.abort(REASONS['transport-failed'], error.code ?? error.message);
        callback(this.#connection.failure);
      });
    });
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#cancelTimeout();
    const { failure } = this.#connection;
    if (failure === undefined && !(this.#connection.readClosed && this.#connection.writeClosed)) {
      this.#connection.abort(REASONS['destroyed-locally'], error?.message ?? '');
      this.#flush();
    }
    const reason = failure ?? this.#connection.failure ?? error;
    this.#settle(reason ?? undefined);
    this.#endTransport();
    callback(failure ?? error);
  }

  #receive(bytes: Uint8Array): void {
    this.#connection.receive(bytes);
    this.#afterStep();
  }

  /** After anything that moved the connection: output, data, endings, and the next pause. */
  #afterStep(): void {
    this.#sendEarlyData();
    this.#flush();
    for (const chunk of this.#connection.takeEarlyData()) this.emit('earlyData', chunk);
    for (const chunk of this.#connection.takePlaintext()) {
      if (!this.push(chunk)) this.#wantsData = false;
    }
    if (this.#connection.failure !== undefined) {
      this.destroy(this.#connection.failure);
      return;
    }
    if (this.#connection.readClosed && !this.#inputDone) {
      this.#inputDone = true;
      this.push(null);
    }
    if (this.#connection.established && !this.#settled) this.#established();
    else if (this.#connection.mayWrite) this.#runWaiting();
    this.#runPending();
    this.#updateFlow();
  }

  #established(): void {
    this.#cancelTimeout();
    this.#settle(undefined);
    this.#runWaiting();
  }

  #runWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { task } of waiting) task();
  }

  #runPending(): void {
    const { pending } = this.#connection;
    if (pending === undefined || this.#running) return;
    const resumption = pending.run();
    if (!(resumption instanceof Promise)) {
      this.#resume(resumption);
      return;
    }
    this.#running = true;
    // `run` never rejects: what breaks becomes the resumption's own failure.
    void resumption.then((outcome) => {
      this.#running = false;
      this.#resume(outcome);
    });
  }

  #resume(resumption: Resumption): void {
    this.#connection.resume(resumption);
    this.#afterStep();
  }

  /** Also before `established`, where the server may answer early data. */
  #whenWritable(callback: Callback, task: () => void): void {
    if (this.#connection.mayWrite) task();
    else this.#whenEstablished(callback, task);
  }

  /** In the first flight or not at all: the room is there from the ClientHello to the server's answer. */
  #sendEarlyData(): void {
    const connection = this.#connection;
    if (this.#earlyData === undefined || !(connection instanceof ClientConnection)) return;
    if (connection.earlyDataLimit >= this.#earlyData.length) connection.writeEarly(this.#earlyData);
    if (connection.pending === undefined) this.#earlyData = undefined;
  }

  #whenEstablished(callback: Callback, task: () => void): void {
    if (this.#connection.established) task();
    else this.#waiting.push({ task, callback });
  }

  /** Gives the output to the transport; `callback` waits until the transport has written it. */
  #flush(callback?: Callback): void {
    const output = this.#connection.takeOutput();
    const writable = !(this.#transport.destroyed || this.#transport.writableEnded);
    // What can't be sent must not count as sent.
    if (output.length > 0 && !writable) this.#connection.abort(REASONS['transport-failed'], 'not writable');
    const { failure } = this.#connection;
    if (failure !== undefined) {
      if (output.length > 0 && writable) this.#transport.write(output);
      callback?.(failure);
      return;
    }
    if (output.length === 0) {
      callback?.();
      return;
    }
    this.#onWritten = callback ?? this.#onWritten;
    this.#transport.write(output, (error) => {
      // Its own event says more, and ends this stream.
      if (error) return;
      // Whatever else a transport may be, it may keep what it was given.
      if (this.#transport instanceof Socket) giveBackBuffer(output);
      if (callback !== undefined) this.#written();
    });
  }

  #written(error?: TlsError): void {
    const callback = this.#onWritten;
    this.#onWritten = undefined;
    callback?.(error);
  }

  /** Reads on only while the engine is not waiting and somebody wants the data. */
  #updateFlow(): void {
    const { established, pending, readClosed } = this.#connection;
    if (pending === undefined && (!established || readClosed || this.#wantsData)) this.#transport.resume();
    else this.#transport.pause();
  }

  #inputEnded(): void {
    this.#connection.endOfInput();
    this.#afterStep();
  }

  #transportFailed(error: NodeJS.ErrnoException): void {
    if (this.destroyed) return;
    this.#connection.abort(REASONS['transport-failed'], error.code ?? error.message);
    this.#afterStep();
  }

  #transportClosed(): void {
    if (this.destroyed) return;
    const finished = this.#connection.readClosed && this.#connection.writeClosed;
    if (!finished) this.#connection.abort(REASONS['transport-failed'], 'closed');
    this.#afterStep();
    this.#written();
  }

  #settle(error: Error | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    if (error === undefined && this.established) this.#handshake.resolve();
    else this.#handshake.reject(error ?? new TlsError(REASONS['destroyed-locally']));
  }

  /** Lets the last alert reach the peer: a reset would take it away from the peer's receive buffer. */
  #endTransport(): void {
    const transport = this.#transport;
    const { failure } = this.#connection;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { callback } of waiting) callback(failure);
    // As net.Socket does: an owner that destroys the stream has not failed, and does not ask how far its write came.
    if (failure?.reason === REASONS['destroyed-locally']) this.#written();
    else this.#written(failure);
    if (transport.destroyed) return;
    transport.removeAllListeners('data');
    transport.on('data', () => undefined);
    transport.resume();
    if (!transport.writableEnded) transport.end();
    const cancel = this.#clock.after(LINGER_MILLISECONDS, () => transport.destroy());
    transport.once('close', cancel);
    if (transport.readableEnded) transport.destroy();
  }
}

/** Starts a client over a connected transport. */
export function connectTls<Peer extends VerifiedPeer>(
  transport: Duplex,
  config: ClientConfig<Peer>,
  options: StreamOptions,
): TlsStream<Peer> {
  return new TlsStream(transport, new ClientConnection(config, options.observer), options);
}

/** Starts a server over an accepted transport; `head` is what was read from it already. */
export function acceptTls<Peer extends VerifiedPeer>(
  transport: Duplex,
  config: ServerConfig<Peer>,
  options: StreamOptions,
  head: Uint8Array = new Uint8Array(0),
): TlsStream<Peer> {
  const stream = new TlsStream(transport, new ServerConnection(config, options.observer), options);
  stream.begin(head);
  return stream;
}
