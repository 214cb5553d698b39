import { concat, EMPTY } from '#runtime';
import { MAX_PLAINTEXT } from '../limits.ts';
import { CipherState } from './cipher-state.ts';
import { CONTENT, type ContentName, HEADER_LENGTH, writeHeader } from './header.ts';

/** Zeros to add behind this many bytes of content. */
export type Padding = (length: number) => number;

const noPadding: Padding = () => 0;

/**
 * The way out: content becomes records under the current keys. Handshake messages of one flight share records, and
 * everything waits for one `take`, so a flight is one write.
 */
export class Fragmenter {
  #cipher: CipherState | undefined;
  #handshake: Uint8Array[] = [];
  #out: Uint8Array[] = [];
  #limit = MAX_PLAINTEXT;
  #padding: Padding = noPadding;

  /** Undefined until the first keys are set. */
  get cipher(): CipherState | undefined {
    return this.#cipher;
  }

  /** Most bytes of content in one record. */
  get limit(): number {
    return this.#limit;
  }

  /** Narrows `limit`, for us or for the peer; what is sealed already stays as it is. */
  limitTo(bytes: number): void {
    this.#flushHandshake();
    this.#limit = Math.min(this.#limit, bytes);
  }

  /** How application data is padded from now on (RFC 8446 5.4). */
  padWith(padding: Padding): void {
    this.#padding = padding;
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

  /** Undefined: back to plaintext (a second ClientHello after refused early data). */
  changeKeys(cipher: CipherState | undefined): void {
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
    const count = Math.max(Math.ceil(content.length / this.#limit), 1);
    if (cipher === undefined) {
      for (let index = 0; index < count; index += 1)
        this.#out.push(plainRecord(type, this.#piece(content, index)));
      return;
    }
    const padding = type === 'application_data' ? this.#padding : noPadding;
    const room = (length: number): number => Math.min(padding(length), this.#limit - length);
    const last = content.length - (count - 1) * this.#limit;
    const zeros = (count - 1) * room(this.#limit) + room(last);
    const out = new Uint8Array(content.length + zeros + count * CipherState.sealedLength(0));
    let offset = 0;
    for (let index = 0; index < count; index += 1) {
      const piece = this.#piece(content, index);
      offset = cipher.seal(type, piece, out, offset, room(piece.length));
    }
    this.#out.push(out);
  }

  #piece(content: Uint8Array, index: number): Uint8Array {
    return content.subarray(index * this.#limit, (index + 1) * this.#limit);
  }
}

function plainRecord(type: ContentName, content: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_LENGTH + content.length);
  writeHeader(record, 0, CONTENT[type], content.length);
  record.set(content, HEADER_LENGTH);
  return record;
}
