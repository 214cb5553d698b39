import { concat, EMPTY } from '#runtime';
import type { ClientConnection, ServerConnection } from '#handshake';
import { CaseFailed, type Options, Unimplemented } from './flags.ts';
import { SHIM_REASONS } from './reasons.ts';

/** What stands above TLS in BoringSSL's shim: it says what its flags ask, and echoes every byte inverted. */
export class Application {
  readonly #connection: ClientConnection | ServerConnection;
  readonly #secrets: ReadonlyMap<string, Uint8Array>;
  /** What could not yet be said. */
  #unsaid: Uint8Array[] = [];
  #spokeEarly = false;
  #begun = false;
  /** Sealed bytes that wait until something was read. */
  #held: Uint8Array | undefined;
  #heldOut: Uint8Array[] = [];

  /** `secrets`: by the label of the key log. */
  constructor(connection: ClientConnection | ServerConnection, secrets: ReadonlyMap<string, Uint8Array>) {
    this.#connection = connection;
    this.#secrets = secrets;
  }

  /** The first words as early data, as far as the ticket lets them. */
  speakEarly(options: Options): void {
    if (!this.#spokeEarly) {
      this.#spokeEarly = true;
      if ((options.number('export-keying-material') ?? 0) > 0) this.#export(options, 1);
      if (options.has('shim-writes-first') || options.has('read-with-unfinished-write'))
        this.#unsaid = firstWords(options);
    }
    const connection = this.#connection as ClientConnection;
    if (options.has('read-with-unfinished-write') && this.#unsaid.length > 0) {
      this.#leaveUnfinished(() => connection.writeEarly(this.#unsaid.shift()!));
      return;
    }
    for (let text = this.#unsaid.shift(); text !== undefined; text = this.#unsaid.shift()) {
      const most = Math.min(text.length, connection.earlyDataLimit);
      connection.writeEarly(text.subarray(0, most));
      if (most === text.length) continue;
      this.#unsaid.unshift(text.subarray(most));
      return;
    }
  }

  /** The early data was refused: all of it is said again. */
  repeatEarly(): void {
    this.#spokeEarly = false;
    this.#unsaid = [];
  }

  /** Once, as soon as this side may speak. */
  begin(options: Options): void {
    this.#begun = true;
    const connection = this.#connection;
    const exported = options.number('export-keying-material') ?? 0;
    if (exported > 0) connection.write(this.#export(options, exported));
    if (options.has('export-traffic-secrets')) connection.write(this.#trafficSecrets(options));
    if (options.has('send-alert')) {
      connection.abort(SHIM_REASONS['sent-on-demand']);
      return;
    }
    const texts = this.#spokeEarly ? this.#unsaid : firstWords(options);
    if (options.has('read-with-unfinished-write') && texts.length > 0)
      this.#leaveUnfinished(() => connection.write(texts[0]!));
    else if (options.has('shim-writes-first')) for (const text of texts) connection.write(text);
    if (options.has('key-update-before-read')) connection.updateKeys(false);
    if (options.has('shim-shuts-down')) connection.close();
  }

  /** Something came from the network: what was left unfinished may go. */
  received(): void {
    if (this.#held === undefined) return;
    this.#heldOut.push(this.#held);
    this.#held = undefined;
  }

  /** Answers what has come. */
  exchange(options: Options): void {
    const connection = this.#connection;
    if (!this.#begun) return;
    if (options.has('shim-shuts-down')) {
      const came = connection.takePlaintext().length > 0;
      if (came && options.has('check-close-notify')) throw new CaseFailed('application-data-on-shutdown');
      return;
    }
    if (!connection.mayWrite) return;
    for (const plaintext of [...connection.takeEarlyData(), ...connection.takePlaintext()]) {
      this.#echo(plaintext, options);
    }
  }

  /** For the socket. */
  takeOutput(): Uint8Array[] {
    if (this.#held !== undefined) return this.#heldOut.splice(0);
    const output = this.#connection.takeOutput();
    return [...this.#heldOut.splice(0), ...(output.length > 0 ? [output] : [])];
  }

  #echo(plaintext: Uint8Array, options: Options): void {
    if (options.has('key-update')) this.#connection.updateKeys(false);
    this.#connection.write(plaintext.map((byte) => byte ^ 0xff));
    if (options.has('key-update-before-read')) this.#connection.updateKeys(false);
  }

  /** Lets one byte of a record out, and keeps the rest until something was read. */
  #leaveUnfinished(write: () => void): void {
    this.#heldOut.push(this.#connection.takeOutput());
    write();
    const sealed = this.#connection.takeOutput();
    this.#heldOut.push(sealed.subarray(0, 1));
    this.#held = sealed.subarray(1);
  }

  #export(options: Options, length: number): Uint8Array {
    if (options.has('server') && !this.#connection.established)
      throw new Unimplemented("no exporter before the client's Finished");
    const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'latin1'));
    const label = options.text('export-label') ?? '';
    return this.#connection.exportKeyingMaterial(label, length, bytes(options.text('export-context')));
  }

  #trafficSecrets(options: Options): Uint8Array {
    const [read, write] = ['SERVER_TRAFFIC_SECRET_0', 'CLIENT_TRAFFIC_SECRET_0'].map(
      (label) => this.#secrets.get(label) ?? EMPTY,
    );
    const both = options.has('server') ? [write!, read!] : [read!, write!];
    return concat(Uint8Array.of(read!.length & 0xff, read!.length >> 8), ...both);
  }
}

function firstWords(options: Options): Uint8Array[] {
  const text = new Uint8Array(Buffer.from(options.text('shim-initial-write') ?? 'hello', 'latin1'));
  const count = options.number('repeat-shim-initial-write') ?? 1;
  return Array.from({ length: count }, () => text);
}
