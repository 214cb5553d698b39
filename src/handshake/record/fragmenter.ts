import { concat, EMPTY } from '#runtime';
import { MAX_PLAINTEXT } from '../limits.ts';
import { CipherState } from './cipher-state.ts';
import { CONTENT, type ContentName, HEADER_LENGTH, writeHeader } from './header.ts';

/**
 * The way out: content becomes records under the current keys. Handshake messages of one flight share records, and
 * everything waits for one `take`, so a flight is one write.
 */
export class Fragmenter {
  #cipher: CipherState | undefined;
  #handshake: Uint8Array[] = [];
  #out: Uint8Array[] = [];

  /** Undefined until the first keys are set. */
  get cipher(): CipherState | undefined {
    return this.#cipher;
  }

  addHandshake(message: Uint8Array): void {
    this.#handshake.push(message);
  }

  /** Everything but handshake messages and change_cipher_spec. */
  add(type: 'alert' | 'application_data', content: Uint8Array): void {
    this.#flushHandshake();
    this.#protect(type, content);
  }

  /** RFC 8446 D.4: a dummy record that is never protected. */
  addChangeCipherSpec(): void {
    this.#flushHandshake();
    this.#out.push(plainRecord('change_cipher_spec', Uint8Array.of(1)));
  }

  changeKeys(cipher: CipherState): void {
    this.#flushHandshake();
    this.#cipher?.wipe();
    this.#cipher = cipher;
  }

  /** Nothing is protected any more; what was given before is sealed first and still comes out of `take`. */
  wipe(): void {
    this.#flushHandshake();
    this.#cipher?.wipe();
  }

  /** All bytes for the wire since the last call. */
  take(): Uint8Array {
    this.#flushHandshake();
    const out = this.#out;
    this.#out = [];
    if (out.length === 0) return EMPTY;
    return out.length === 1 ? out[0]! : concat(...out);
  }

  #flushHandshake(): void {
    if (this.#handshake.length === 0) return;
    const messages = this.#handshake.length === 1 ? this.#handshake[0]! : concat(...this.#handshake);
    this.#handshake = [];
    this.#protect('handshake', messages);
  }

  #protect(type: ContentName, content: Uint8Array): void {
    const cipher = this.#cipher;
    const count = Math.max(Math.ceil(content.length / MAX_PLAINTEXT), 1);
    if (cipher === undefined) {
      for (let index = 0; index < count; index += 1) this.#out.push(plainRecord(type, piece(content, index)));
      return;
    }
    const out = new Uint8Array(content.length + count * CipherState.sealedLength(0));
    let offset = 0;
    for (let index = 0; index < count; index += 1)
      offset = cipher.seal(type, piece(content, index), out, offset);
    this.#out.push(out);
  }
}

function piece(content: Uint8Array, index: number): Uint8Array {
  return content.subarray(index * MAX_PLAINTEXT, (index + 1) * MAX_PLAINTEXT);
}

function plainRecord(type: ContentName, content: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_LENGTH + content.length);
  writeHeader(record, 0, CONTENT[type], content.length);
  record.set(content, HEADER_LENGTH);
  return record;
}
