import { type AlertName, alertName, FATAL, WARNING } from '../alert.ts';
import type { ConnectionPort } from '../connection-port.ts';
import { MAX_CHANGE_CIPHER_SPECS, MAX_EMPTY_RECORDS, MAX_PLAINTEXT, MAX_WARNINGS } from '../limits.ts';
import { fail } from '../reasons.ts';
import type { Opened } from './cipher-state.ts';
import type { WireRecord } from './deframer.ts';

/** What a record turned out to be. Handshake bytes have gone to the joiner already. */
export type Content =
  | { readonly type: 'nothing' }
  | { readonly type: 'application_data'; readonly bytes: Uint8Array }
  | { readonly type: 'early_data'; readonly bytes: Uint8Array }
  | { readonly type: 'alert'; readonly alert: AlertName | undefined; readonly description: number };

/** RFC 8446 5: which records may come when, and the bounds on those that do nothing. */
export class RecordInput {
  readonly #role: 'client' | 'server';
  readonly #port: ConnectionPort;
  #emptyInARow = 0;
  #changeCipherSpecs = 0;
  #warnings = 0;

  constructor(role: 'client' | 'server', port: ConnectionPort) {
    this.#role = role;
    this.#port = port;
  }

  open(record: WireRecord, state: string): Content {
    if (record.type === 'change_cipher_spec') return this.#changeCipherSpec(record.fragment, state);
    const opened = this.#unprotect(record);
    if (opened === undefined) return { type: 'nothing' };
    const { type, content } = opened;
    // RFC 6066 4: a peer that asked for short fragments keeps to them itself.
    if (content.length > this.#port.receiveLimit) fail('record-overflow', `${content.length} bytes`);
    // RFC 8446 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types", nor of Alert types.
    if (content.length === 0 && type !== 'application_data')
      fail('unexpected-record', `an empty ${type} record`);
    this.#emptyInARow = content.length === 0 ? this.#emptyInARow + 1 : 0;
    if (this.#emptyInARow > MAX_EMPTY_RECORDS) fail('too-many-empty-records', `${this.#emptyInARow}`);
    if (type === 'handshake') {
      this.#port.joiner.push(content);
      return { type: 'nothing' };
    }
    // RFC 8446 5.1: "Handshake messages MUST NOT be interleaved with other record types."
    if (!this.#port.joiner.isEmpty) fail('unexpected-record', `${type} inside a handshake message`);
    if (type === 'alert') return this.#alert(content);
    const { earlyInput } = this.#port;
    if (earlyInput.mode === 'taking') {
      earlyInput.count(content.length);
      return { type: 'early_data', bytes: content };
    }
    if (this.#port.established === undefined) fail('unexpected-record', `application data in ${state}`);
    return { type: 'application_data', bytes: content };
  }

  /** Undefined for refused early data, which is dropped. */
  #unprotect(record: WireRecord): Opened | undefined {
    const { type, header, fragment } = record;
    const { readCipher: cipher, earlyInput } = this.#port;
    if (cipher === undefined) {
      if (type === 'application_data' && earlyInput.mode === 'skipping-sealed') {
        // RFC 8446 5.1: refused or not, early data does not stand inside the second ClientHello.
        if (!this.#port.joiner.isEmpty) fail('unexpected-record', 'early data inside a handshake message');
        earlyInput.count(fragment.length);
        return undefined;
      }
      if (type === 'application_data') fail('unexpected-record', 'protected data before there are keys');
      if (fragment.length > MAX_PLAINTEXT) fail('record-overflow', `${fragment.length} bytes`);
      return { type, content: fragment };
    }
    if (type === 'application_data' && earlyInput.mode === 'skipping-undecryptable') {
      const opened = cipher.tryOpen(header, fragment);
      if (opened === undefined) earlyInput.count(fragment.length);
      else earlyInput.end();
      return opened;
    }
    if (type === 'application_data') return cipher.open(header, fragment);
    // A client that cannot accept our ServerHello has no keys to protect its alert with. Anybody on the path can
    // forge one, and can as well cut the connection; it is taken until the first record that is authentic.
    const mayBePlain = this.#role === 'server' && type === 'alert' && cipher.sequence === 0;
    if (mayBePlain && this.#port.established === undefined) return { type, content: fragment };
    return fail('unexpected-record', `an unprotected ${type} record`);
  }

  /** RFC 8446 5: a change_cipher_spec of one byte 0x01 is dropped between the first hello and the peer's Finished. */
  #changeCipherSpec(fragment: Uint8Array, state: string): Content {
    const tooEarly = state === 'ExpectClientHello';
    const tooLate = state === 'Traffic' || (this.#role === 'client' && state === 'Signing');
    if (tooEarly || tooLate || !this.#port.joiner.isEmpty)
      fail('unexpected-record', `change_cipher_spec in ${state}`);
    if (fragment.length !== 1 || fragment[0] !== 1)
      fail('unexpected-record', 'change_cipher_spec is not one byte 1');
    this.#changeCipherSpecs += 1;
    if (this.#changeCipherSpecs > MAX_CHANGE_CIPHER_SPECS)
      fail('too-many-empty-records', 'change_cipher_spec');
    return { type: 'nothing' };
  }

  #alert(content: Uint8Array): Content {
    if (content.length !== 2) fail('malformed-message', `an alert of ${content.length} bytes`);
    const [level, description] = [content[0]!, content[1]!];
    const alert = alertName(description);
    if (level !== WARNING && level !== FATAL) fail('illegal-parameter', `an alert of level ${level}`);
    const closes = alert === 'close_notify' || alert === 'user_canceled';
    // RFC 8446 6: an error alert is fatal whatever its level says, and there are no other warnings.
    if (level === WARNING && !closes) fail('warning-alert', alert ?? `alert ${description}`);
    if (alert === 'user_canceled') {
      this.#warnings += 1;
      if (this.#warnings > MAX_WARNINGS) fail('too-many-empty-records', 'user_canceled');
    }
    return { type: 'alert', alert, description };
  }
}
