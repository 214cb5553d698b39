import type { ClientConfig, ServerConfig } from '../config.ts';
import { ConnectionPort } from '../connection-port.ts';
import type { Aead } from '../crypto/index.ts';
import { Secret } from '../crypto/index.ts';
import { decodeMessage, encodeMessage } from '../messages/message.ts';
import type { MessageName } from '../messages/names.ts';
import type { Pending, Resumption } from '../pending.ts';
import type { Port } from '../port.ts';
import { CONTENT, HEADER_LENGTH, writeHeader } from '../record/header.ts';
import { Deframer } from '../record/deframer.ts';
import { RecordInput } from '../record/input.ts';
import type { ClientState, ServerState } from '../states.ts';
import type { Suite } from '../suites.ts';
import { Deriver } from '../tls13/key-schedule.ts';
import { startClient } from '../tls13/client/start.ts';
import { startServer } from '../tls13/server/start.ts';
import { clientConfig, serverConfig } from './pair.ts';

/** What goes out instead of a handshake message (header included). `index` counts those sent, from 0. */
export type Tamper = (name: MessageName, message: Uint8Array, index: number) => readonly Uint8Array[];

/** Which bytes the tamperer itself hashes: what it should have sent, or what it did send (as its victim does). */
export type TranscriptOf = 'original' | 'sent';

/**
 * A TLS peer that misbehaves on purpose but holds the right keys: the project's own states on a Port that changes
 * handshake messages before they are sealed. Unlike a Connection it lets exceptions out: they are the test's mistakes.
 */
export class TamperingEngine {
  readonly port: TamperingPort;
  readonly #records: RecordInput;
  readonly #deframer = new Deframer();
  #state: ClientState | ServerState;

  private constructor(role: 'client' | 'server', port: TamperingPort, state: ClientState | ServerState) {
    this.port = port;
    this.#records = new RecordInput(role, port);
    this.#state = state;
  }

  static client(tamper: Tamper, transcript: TranscriptOf = 'original', config: Partial<ClientConfig> = {}) {
    const whole = clientConfig(config);
    const port = new TamperingPort(whole, tamper, transcript);
    return new TamperingEngine('client', port, startClient(whole, port));
  }

  static server(tamper: Tamper, transcript: TranscriptOf = 'original', config: Partial<ServerConfig> = {}) {
    const whole = serverConfig(config);
    return new TamperingEngine('server', new TamperingPort(whole, tamper, transcript), startServer(whole));
  }

  get stateName(): string {
    return this.#state.name;
  }

  get pending(): Pending | undefined {
    return this.#state.pending;
  }

  receive(bytes: Uint8Array): void {
    this.#deframer.push(bytes);
    this.#pump();
  }

  resume(resumption: Resumption): void {
    this.#state = resumption.proceed(this.port) as ClientState | ServerState;
    this.#pump();
  }

  takeOutput(): Uint8Array {
    return this.port.fragmenter.take();
  }

  /** Sends a handshake message under the present keys, outside of any flight. */
  sendMessage(name: MessageName, body: Uint8Array): void {
    this.port.fragmenter.addHandshake(encodeMessage(name, body));
  }

  /** What the victim answers to the tampering does not matter here: alerts end nothing. */
  #pump(): void {
    while (this.#state.pending === undefined) {
      const message = this.port.joiner.next();
      if (message !== undefined) {
        const handle = this.#state.handle as (message: unknown, port: Port) => ClientState | ServerState;
        this.#state = handle.call(this.#state, decodeMessage(message.name, message.raw), this.port);
        continue;
      }
      const record = this.#deframer.next();
      if (record === undefined) return;
      this.#records.open(record, this.#state.name);
    }
  }

  /** Seals an inner plaintext as it is, with its type byte and padding, into one record under the present keys. */
  sealRaw(inner: Uint8Array): Uint8Array {
    const before = this.takeOutput();
    const record = this.port.sealRaw(inner);
    return Buffer.concat([before, record]);
  }
}

class TamperingPort extends ConnectionPort {
  readonly #tamper: Tamper;
  readonly #transcriptOf: TranscriptOf;
  #sent = 0;
  #write: { suite: Suite; secret: Secret } | undefined;

  constructor(config: ClientConfig | ServerConfig, tamper: Tamper, transcriptOf: TranscriptOf) {
    super(config.crypto, () => undefined, config.keyLog);
    this.#tamper = tamper;
    this.#transcriptOf = transcriptOf;
  }

  override send(name: MessageName, body: Uint8Array): void {
    const original = encodeMessage(name, body);
    const instead = this.#tamper(name, original, this.#sent);
    this.#sent += 1;
    for (const message of instead) this.fragmenter.addHandshake(message);
    for (const message of this.#transcriptOf === 'sent' ? instead : [original]) this.transcript.add(message);
  }

  override changeWriteKeys(suite: Suite, secret: Secret): void {
    this.#write = { suite, secret: new Secret(secret.expose().slice()) };
    super.changeWriteKeys(suite, secret);
  }

  /** RFC 8446 5.2, without CipherState's care for what is legal. The record takes the next sequence number. */
  sealRaw(inner: Uint8Array): Uint8Array {
    const { suite, secret } = this.#write!;
    const deriver = new Deriver(this.crypto, suite);
    const empty = new Uint8Array(0);
    const aead: Aead = this.crypto.aead(
      suite.aead,
      deriver.expandLabel(secret, 'key', empty, suite.keyLength),
    );
    const nonce = deriver.expandLabel(secret, 'iv', empty, 12);
    let sequence = this.fragmenter.cipher!.sequence;
    for (let index = nonce.length - 1; sequence > 0; index -= 1, sequence = Math.floor(sequence / 256)) {
      nonce[index]! ^= sequence % 256;
    }
    const record = new Uint8Array(HEADER_LENGTH + inner.length + aead.tagLength);
    writeHeader(record, 0, CONTENT.application_data, inner.length + aead.tagLength);
    aead.seal(nonce, record.subarray(0, HEADER_LENGTH), inner, record, HEADER_LENGTH);
    // Keeps the port's own cipher in step; what it seals here is thrown away.
    this.fragmenter.cipher!.seal('application_data', 0, new Uint8Array(64), 0);
    return record;
  }
}

/** A tamper that changes nothing. */
export const honest: Tamper = (_name, message) => [message];

/** Replaces the nth message of a name (from 0) by what `change` makes of it. */
export function tamperWith(
  target: MessageName,
  change: (message: Uint8Array) => readonly Uint8Array[],
  occurrence = 0,
): Tamper {
  let seen = 0;
  return (name, message) => {
    if (name !== target) return [message];
    seen += 1;
    return seen - 1 === occurrence ? change(message) : [message];
  };
}
