import { EMPTY } from '#runtime';
import { encodeAlert } from './alert.ts';
import type { ClientConfig, ServerConfig } from './config.ts';
import { ConnectionPort } from './connection-port.ts';
import type { Observer } from './events.ts';
import { RECORDS_PER_KEY } from './limits.ts';
import { decodeMessage } from './messages/message.ts';
import type { SessionUse } from './port.ts';
import { checkMaxFragment, checkPadTo, checkRecordsPerKey } from './parameters.ts';
import type { Pending, Resumption } from './pending.ts';
import { type Reason, TlsError } from './reason.ts';
import { fail, REASONS } from './reasons.ts';
import { Deframer } from './record/deframer.ts';
import { Gather } from './record/gather.ts';
import { type Content, RecordInput } from './record/input.ts';
import type { RawMessage } from './record/joiner.ts';
import { padTo } from './record/padding.ts';
import { type ClientState, type ServerState, TRANSITIONS } from './states.ts';
import { ClientTraffic } from './tls13/client/traffic.ts';
import { exportKeyingMaterial } from './tls13/exporter.ts';
import { ServerTraffic } from './tls13/server/traffic.ts';
import type { Secret } from './crypto/secret.ts';
import type { Suite } from './suites.ts';
import type { TrafficKeys } from './tls13/key-update.ts';
import type { VerifiedPeer } from './verify/peer-verifier.ts';

type State = ClientState | ServerState;
type Role = 'client' | 'server';

/**
 * One TLS connection as a pure machine: bytes in, bytes and events out. It has no socket, no clock and no promise.
 *
 * Drive it so: give what came from the network to `receive`, write `takeOutput` to the network, read `takePlaintext`,
 * and while `pending` is set stop reading and `resume` with what its `run` answers. Nothing that a peer sends makes
 * these throw: a violation becomes an alert in the output and `failure`.
 */
export class Connection<Peer extends VerifiedPeer> {
  readonly role: Role;
  readonly #port: ConnectionPort;
  readonly #deframer = new Deframer();
  readonly #records: RecordInput;
  readonly #recordsPerKey: number;
  #state: State;
  #resuming: Pending | undefined;
  #plaintext: Uint8Array[] = [];
  #earlyData: Uint8Array[] = [];
  #readClosed = false;
  #writeClosed = false;
  #confirmed: boolean;
  #failure: TlsError | undefined;

  protected constructor(
    role: Role,
    config: ClientConfig<Peer> | ServerConfig<Peer>,
    observer: Observer,
    start: (port: ConnectionPort) => State,
  ) {
    this.role = role;
    this.#port = new ConnectionPort(config.crypto, observer, config.keyLog);
    this.#records = new RecordInput(role, this.#port);
    this.#recordsPerKey = checkRecordsPerKey(config.recordsPerKey ?? RECORDS_PER_KEY);
    const { fragmenter } = this.#port;
    if (config.maxFragment !== undefined) fragmenter.limitTo(checkMaxFragment(config.maxFragment));
    if (config.padTo !== undefined) fragmenter.padWith(padTo(checkPadTo(config.padTo)));
    // RFC 8446 gives the server nothing to wait for: only a client can be judged after its own Finished.
    this.#confirmed = role === 'server';
    this.#state = start(this.#port);
  }

  /** The name of the state, as TRANSITIONS lists it. */
  get stateName(): State['name'] {
    return this.#state.name;
  }

  get established(): boolean {
    return this.#port.established !== undefined;
  }

  /** Who the peer proved to be. Undefined before `established`, and for a client that was let in without a certificate. */
  get peer(): Peer | undefined {
    // The only source of peers is the PeerVerifier<Peer> of this connection's own configuration.
    return this.#port.established?.peer as Peer | undefined;
  }

  get alpn(): string | undefined {
    return this.#port.established?.alpn;
  }

  /** How the two sides knew each other; undefined until `established`. */
  get session(): SessionUse | undefined {
    return this.#port.established?.session;
  }

  /** Why the connection ended, if not by close_notify. */
  get failure(): TlsError | undefined {
    return this.#failure;
  }

  /** The peer sent close_notify: nothing more will come. */
  get readClosed(): boolean {
    return this.#readClosed;
  }

  get writeClosed(): boolean {
    return this.#writeClosed;
  }

  /** Set while the connection waits for something outside: stop reading, run it, `resume`. */
  get pending(): Pending | undefined {
    return this.#failure === undefined ? this.#state.pending : undefined;
  }

  /** Takes bytes from the network. They belong to the connection from now on. */
  receive(bytes: Uint8Array): void {
    if (this.#failure !== undefined || bytes.length === 0) return;
    this.#guard(() => {
      // RFC 8446 6.1: "Any data received after a closure alert has been received MUST be ignored."
      if (this.#readClosed) return;
      this.#deframer.push(bytes);
      this.#pump();
    });
  }

  /** The network's input ended. Without close_notify before it, that is a failure (RFC 8446 6.1). */
  endOfInput(): void {
    if (this.#failure !== undefined || this.#readClosed) return;
    this.#end(new TlsError(this.established ? REASONS.truncated : REASONS['closed-in-handshake']));
  }

  /** Goes on after a pause. `resumption` is what this connection's `pending` answered; throws for any other. */
  resume(resumption: Resumption): void {
    if (this.#failure !== undefined) return;
    const { pending } = this.#state;
    if (pending === undefined || this.#resuming === pending) {
      throw new Error('resume: the connection is not waiting');
    }
    if (resumption.of !== pending) throw new Error('resume: this answers another pause');
    this.#resuming = pending;
    this.#guard(() => {
      this.#state = resumption.proceed(this.#port) as State;
      this.#pump();
    });
  }

  /** Whether `write` may be called. */
  get mayWrite(): boolean {
    if (this.#writeClosed || this.#failure !== undefined) return false;
    return this.established || (this.role === 'server' && this.#port.earlyOutput.left > 0);
  }

  /**
   * Seals application data, several pieces as if they were joined. Once `established` and before `close`; a server that took early data, and asked for no
   * certificate, may answer it before (`mayWrite`).
   */
  write(plaintext: Uint8Array | readonly Uint8Array[]): void {
    if (this.#writeClosed || this.#failure !== undefined) throw new Error('write: this direction is closed');
    if (!this.mayWrite) throw new Error('write: the handshake is not complete');
    const content = new Gather(plaintext instanceof Uint8Array ? [plaintext] : plaintext);
    if (content.left === 0) return;
    this.#guard(() => {
      if (!this.established) return this.#writeEarly(content);
      const keys = this.#trafficKeys();
      keys.answer(this.#port);
      while (content.left > 0) {
        // RFC 8446 5.5: a key is replaced before it has sealed too much, also within one large write.
        if (this.#recordsLeft() === 0) keys.update(false, this.#port);
        this.#port.fragmenter.addData(content, this.#recordsLeft());
      }
    });
  }

  /**
   * Key material that only the two sides of this connection know (RFC 8446 7.5, RFC 5705), the same on both for the
   * same label and context. `length` is in bytes. Only once `established`; throws for what no exporter can give.
   */
  exportKeyingMaterial(label: string, length: number, context: Uint8Array = EMPTY): Uint8Array {
    const established = this.#port.established;
    if (established === undefined) throw new Error('exportKeyingMaterial: the handshake is not complete');
    const { suite, exporterSecret } = established;
    return this.#export(suite, exporterSecret, { label, context, length });
  }

  /**
   * The same of the early data (RFC 8446 7.5): undefined unless it was sent (client) or taken (server). What it gives
   * is not fresh: a replayed flight has the same.
   */
  exportEarlyKeyingMaterial(
    label: string,
    length: number,
    context: Uint8Array = EMPTY,
  ): Uint8Array | undefined {
    const early = this.#port.earlyExporter;
    return early && this.#export(early.suite, early.secret, { label, context, length });
  }

  #export(suite: Suite, secret: Secret, wanted: Parameters<typeof exportKeyingMaterial>[3]): Uint8Array {
    // Its secret is wiped then, and what would come out of zeros is no secret.
    const over = this.#failure !== undefined || (this.#readClosed && this.#writeClosed);
    if (over) throw new Error('exportKeyingMaterial: the connection is over');
    return exportKeyingMaterial(this.#port.crypto, suite, secret, wanted);
  }

  #writeEarly(content: Gather): void {
    const { earlyOutput, fragmenter } = this.#port;
    if (fragmenter.cipher!.sequence >= this.#recordsPerKey) throw new Error('early data: the key is used up');
    earlyOutput.count(content.left);
    fragmenter.addData(content, Number.POSITIVE_INFINITY);
  }

  /** Replaces our write key; with `request` asks the peer to replace its own (RFC 8446 4.6.3). */
  updateKeys(request: boolean): void {
    if (!this.established || this.#writeClosed || this.#failure !== undefined) return;
    this.#guard(() => this.#trafficKeys().update(request, this.#port));
  }

  /** Ends our direction with close_notify; the peer may go on. Before `established` it gives the connection up. */
  close(): void {
    if (this.#writeClosed || this.#failure !== undefined) return;
    if (!this.established) {
      this.abort(REASONS['destroyed-locally'], 'closed during the handshake');
      return;
    }
    this.#guard(() => {
      this.#sendAlert('close_notify');
      this.#writeClosed = true;
      if (this.#readClosed) this.#closed();
    });
  }

  /** Ends the connection for a reason of the owner's; the peer gets the reason's alert, and nothing else. */
  abort(reason: Reason, detail = ''): void {
    const closed = this.#readClosed && this.#writeClosed;
    if (this.#failure === undefined && !closed) this.#end(new TlsError(reason, detail));
  }

  /** All bytes for the network since the last call. Also after a failure: the alert is among them. */
  takeOutput(): Uint8Array {
    return this.#port.fragmenter.take();
  }

  /** All application data since the last call, in order. */
  takePlaintext(): Uint8Array[] {
    const plaintext = this.#plaintext;
    this.#plaintext = [];
    return plaintext;
  }

  /** All early data since the last call, in order: it may be a copy that an attacker sent (RFC 8446 8). */
  takeEarlyData(): Uint8Array[] {
    const earlyData = this.#earlyData;
    this.#earlyData = [];
    return earlyData;
  }

  /** Bytes of early data that may be sent now. */
  protected get earlyDataRoom(): number {
    return this.role === 'client' && this.#failure === undefined ? this.#port.earlyOutput.left : 0;
  }

  protected sendEarlyData(plaintext: Uint8Array): void {
    this.#guard(() => this.#writeEarly(new Gather([plaintext])));
  }

  protected sendTickets(count: number): number {
    const state = this.#state;
    if (!(state instanceof ServerTraffic) || this.#writeClosed || this.#failure !== undefined) return 0;
    let sent = 0;
    this.#guard(() => {
      sent = state.issueTickets(count, this.#port);
    });
    return sent;
  }

  #pump(): void {
    while (this.#state.pending === undefined && !this.#readClosed) {
      const message = this.#port.joiner.next();
      if (message !== undefined) {
        this.#handle(message);
        continue;
      }
      const record = this.#deframer.next();
      if (record === undefined) return;
      this.#accept(this.#records.open(record, this.#state.name));
    }
  }

  #handle(message: RawMessage): void {
    const { name, raw } = message;
    this.#port.emit({ type: 'message', direction: 'received', message: name, length: raw.length });
    const rows: Readonly<Record<string, { readonly on: readonly string[] }>> = TRANSITIONS[this.role];
    const row = rows[this.#state.name];
    if (name === 'client_hello' && this.role === 'server' && this.established)
      fail('renegotiation-attempted', name);
    if (row === undefined || !row.on.includes(name))
      fail('unexpected-message', `${name} in ${this.#state.name}`);
    this.#confirm();
    // The table just said that this state takes this message, which is what `handle` is typed for.
    const handle = this.#state.handle as (message: unknown, port: ConnectionPort) => State;
    this.#state = handle.call(this.#state, decodeMessage(name, raw), this.#port);
  }

  #accept(content: Content): void {
    if (content.type === 'nothing') return;
    if (content.type === 'early_data') {
      if (content.bytes.length > 0) this.#earlyData.push(content.bytes);
      return;
    }
    if (content.type === 'application_data') {
      this.#confirm();
      if (content.bytes.length === 0) return;
      this.#trafficKeys().sawData();
      this.#plaintext.push(content.bytes);
      return;
    }
    const { alert, description } = content;
    this.#port.emit({ type: 'alert', direction: 'received', alert, description });
    if (alert === 'user_canceled') return;
    if (alert !== 'close_notify')
      throw new TlsError(REASONS['alert-received'], alert ?? `alert ${description}`);
    if (!this.established) throw new TlsError(REASONS['closed-in-handshake'], 'close_notify');
    this.#confirm();
    this.#readClosed = true;
    if (this.#writeClosed) this.#closed();
  }

  /** The server has answered under application keys, so it has believed our certificate and Finished. */
  #confirm(): void {
    if (this.#confirmed || !this.established) return;
    this.#confirmed = true;
    this.#port.emit({ type: 'confirmed' });
  }

  /** How many more records the present write key may seal. */
  #recordsLeft(): number {
    return Math.max(this.#recordsPerKey - this.#port.fragmenter.cipher!.sequence, 0);
  }

  #trafficKeys(): TrafficKeys {
    const state = this.#state;
    if (state instanceof ClientTraffic || state instanceof ServerTraffic) return state.keys;
    throw new Error(`state ${state.name} has no traffic keys`);
  }

  /** The one place where what states throw becomes the end of the connection. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#end(error instanceof TlsError ? error : internalError(error));
    }
  }

  #end(error: TlsError): void {
    this.#failure = error;
    this.#plaintext = [];
    this.#earlyData = [];
    const { pending } = this.#state;
    try {
      const { alert } = error.reason;
      // Never a close_notify, not even after user_canceled: the peer would take this end for a clean one.
      if (alert !== undefined && !this.#writeClosed) this.#sendAlert(alert);
      if (pending !== undefined && pending !== this.#resuming) {
        this.#port.emit({ type: 'operation', operation: pending.kind, phase: 'end' });
      }
      this.#port.emit({ type: 'failed', error });
    } catch {
      // A broken observer or cipher must not turn the end of a connection into an exception: it is over already.
    }
    this.#wipe();
  }

  /** Both directions ended with close_notify. */
  #closed(): void {
    this.#wipe();
    this.#port.emit({ type: 'closed' });
  }

  #wipe(): void {
    const state = this.#state;
    if (state instanceof ClientTraffic || state instanceof ServerTraffic) state.keys.wipe();
    this.#port.wipe();
  }

  #sendAlert(alert: Parameters<typeof encodeAlert>[0]): void {
    const bytes = encodeAlert(alert);
    this.#port.fragmenter.add('alert', bytes);
    this.#port.emit({ type: 'alert', direction: 'sent', alert, description: bytes[1]! });
  }
}

function internalError(error: unknown): TlsError {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return Object.assign(new TlsError(REASONS['internal-error'], detail), { cause: error });
}
