import type { CryptoProvider } from './crypto/provider.ts';
import type { Secret } from './crypto/secret.ts';
import type { ConnectionEvent, Observer, Operation } from './events.ts';
import { type KeyLog, type KeyLogLabel, keyLogLine } from './keylog.ts';
import { MAX_PLAINTEXT } from './limits.ts';
import { encodeMessage } from './messages/message.ts';
import type { MessageName } from './messages/names.ts';
import type { Established, Port, Wipeable } from './port.ts';
import type { CipherState } from './record/cipher-state.ts';
import { EarlyInput } from './record/early-input.ts';
import { Fragmenter } from './record/fragmenter.ts';
import { type HandshakeAligned, Joiner } from './record/joiner.ts';
import { EarlyOutput } from './record/early-output.ts';
import type { Suite } from './suites.ts';
import { trafficKeys } from './tls13/traffic-keys.ts';
import { Transcript } from './transcript.ts';

/** The parts of a connection that its states work on. */
export class ConnectionPort implements Port {
  readonly crypto: CryptoProvider;
  readonly transcript: Transcript;
  readonly fragmenter: Fragmenter = new Fragmenter();
  readonly joiner: Joiner = new Joiner();
  readonly earlyInput: EarlyInput = new EarlyInput();
  readonly earlyOutput: EarlyOutput = new EarlyOutput();
  readonly #observer: Observer;
  readonly #keyLog: KeyLog | undefined;
  #readCipher: CipherState | undefined;
  readonly #secrets: Wipeable[] = [];
  #changeCipherSpecSent = false;
  #established: Established | undefined;
  #receiveLimit = MAX_PLAINTEXT;
  #earlyExporter: { suite: Suite; secret: Secret } | undefined;

  constructor(crypto: CryptoProvider, observer: Observer, keyLog: KeyLog | undefined) {
    this.crypto = crypto;
    this.transcript = new Transcript(crypto);
    this.#observer = observer;
    this.#keyLog = keyLog;
  }

  /** Undefined until the peer's records are protected. */
  get readCipher(): CipherState | undefined {
    return this.#readCipher;
  }

  /** Most bytes of content in a record from the peer. */
  get receiveLimit(): number {
    return this.#receiveLimit;
  }

  get established(): Established | undefined {
    return this.#established;
  }

  send(name: MessageName, body: Uint8Array): void {
    this.transcript.add(this.#queue(name, body));
  }

  sendAfterHandshake(name: MessageName, body: Uint8Array): void {
    this.#queue(name, body);
  }

  sendChangeCipherSpec(): void {
    if (this.#changeCipherSpecSent) return;
    this.#changeCipherSpecSent = true;
    this.fragmenter.addChangeCipherSpec();
  }

  limitRecords(sent: number, received: number | undefined): void {
    this.fragmenter.limitTo(sent);
    this.#receiveLimit = received ?? this.#receiveLimit;
  }

  requireAligned(): HandshakeAligned {
    return this.joiner.requireAligned();
  }

  changeWriteKeys(suite: Suite, secret: Secret): void {
    this.fragmenter.changeKeys(trafficKeys(this.crypto, suite, secret));
  }

  stopWriteKeys(): void {
    this.fragmenter.changeKeys(undefined);
  }

  changeReadKeys(suite: Suite, secret: Secret, _aligned: HandshakeAligned): void {
    this.#readCipher?.wipe();
    this.#readCipher = trafficKeys(this.crypto, suite, secret);
  }

  wipeAtEnd(...secrets: readonly Wipeable[]): void {
    this.#secrets.push(...secrets);
  }

  /** The connection is over in both directions: no key of it is needed again. */
  wipe(): void {
    this.transcript.free();
    this.fragmenter.wipe();
    this.#readCipher?.wipe();
    for (const secret of this.#secrets) secret.wipe();
  }

  emit(event: ConnectionEvent): void {
    this.#observer(event);
  }

  measure<T>(operation: Operation, work: () => T): T {
    this.emit({ type: 'operation', operation, phase: 'start' });
    try {
      return work();
    } finally {
      this.emit({ type: 'operation', operation, phase: 'end' });
    }
  }

  logSecret(label: KeyLogLabel, clientRandom: Uint8Array, secret: Secret): void {
    this.#keyLog?.(keyLogLine(label, clientRandom, secret.expose()));
  }

  keepEarlyExporter(suite: Suite, secret: Secret): void {
    this.#earlyExporter = { suite, secret };
    this.wipeAtEnd(secret);
  }

  get earlyExporter(): { readonly suite: Suite; readonly secret: Secret } | undefined {
    return this.#earlyExporter;
  }

  establish(established: Established): void {
    this.earlyOutput.close();
    this.#established = established;
    this.transcript.free();
    this.emit({ type: 'established' });
  }

  #queue(name: MessageName, body: Uint8Array): Uint8Array {
    const message = encodeMessage(name, body);
    this.fragmenter.addHandshake(message);
    this.emit({ type: 'message', direction: 'sent', message: name, length: message.length });
    return message;
  }
}
